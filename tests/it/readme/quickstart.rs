//! The quickstart of the README.

use stytch_sso_external::{Client, Error, Session};

/// Once for the whole process, from `STYTCH_PROJECT_ID` and `STYTCH_SECRET`. Clones are cheap.
pub(super) fn client() -> Client {
    Client::from_env().expect("the Stytch project is configured")
}

/// For each request, with the session that it carries.
pub(super) async fn grant_editor(
    client: &Client,
    session_jwt: String,
    id: &str,
) -> Result<(), Error> {
    let member = client.as_member(Session::jwt(session_jwt));
    let connection = member.edit_connection(id, |edit| edit.grant_role("editor")).await?;
    println!("{} grants the role editor", connection.display_name);
    Ok(())
}
