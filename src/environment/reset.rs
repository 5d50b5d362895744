//! Making an environment's state what it was when the environment was ready.

use super::ready::Environment;
use super::run_once::{Once, run_once};
use crate::manifest::{Reset, ResetHow};

/// The database that is cloned, by the name of the one that tests use.
fn template_of(database: &str) -> String {
    format!("{database}_shakedown")
}

impl Environment {
    /// Makes what [`reset`](Self::reset) will need: the template of a database. Does nothing where nothing is needed.
    pub async fn prepare_reset(&self, reset: &Reset) -> Result<(), String> {
        match &reset.how {
            ResetHow::Recycle | ResetHow::Command { .. } => Ok(()),
            ResetHow::PostgresTemplate { database, .. } => {
                let script = clone_script(database, &template_of(database), false);
                self.in_postgres(reset, &script).await
            }
        }
    }

    /// Resets its state. The error says in words what went wrong; its state is not known then.
    pub async fn reset(&self, reset: &Reset) -> Result<(), String> {
        match &reset.how {
            // Only its lane can replace an environment.
            ResetHow::Recycle => Ok(()),
            ResetHow::Command { service, command, within } => {
                let once = Once { command, ..Once::default() };
                let container = self.container_of(service)?;
                let result = run_once(self.engine(), container, once, *within).await;
                result.map_err(|why| format!("`{}` in {service}: {why}", command.join(" ")))
            }
            ResetHow::PostgresTemplate { database, .. } => {
                let script = clone_script(&template_of(database), database, true);
                self.in_postgres(reset, &script).await
            }
        }
    }

    async fn in_postgres(&self, reset: &Reset, script: &str) -> Result<(), String> {
        let ResetHow::PostgresTemplate { service, user, within, .. } = &reset.how else { return Ok(()) };
        let variable = |name: &str| self.variable_of(service, name);
        let user = user.clone().or_else(|| variable("POSTGRES_USER")).unwrap_or_else(|| "postgres".to_owned());
        let words = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", user.as_str(), "-d", "postgres"];
        let command: Vec<String> = words.map(str::to_owned).into();
        let password = variable("POSTGRES_PASSWORD").map(|password| ("PGPASSWORD".to_owned(), password));
        let once = Once { command: &command, variables: password.into_iter().collect(), input: Some(script) };
        let result = run_once(self.engine(), self.container_of(service)?, once, *within).await;
        result.map_err(|why| format!("the PostgreSQL database in {service} could not be cloned: {why}"))
    }
}

/// What `psql` is to do to make `to` a clone of `from`. A database can only be cloned or dropped while nobody is
/// connected to it: so nobody may connect to either, whoever is connected loses the connection, and then the clone is
/// opened to all. The clone gets the owner that the original has; `GRANT` and `SET` on the database itself are not
/// carried over.
fn clone_script(from: &str, to: &str, drop_first: bool) -> String {
    let (from, to) = (Quoted(from), Quoted(to));
    let mut script = String::new();
    let mut close = |database: &Quoted<'_>| {
        script.push_str(&format!(
            "ALTER DATABASE {} ALLOW_CONNECTIONS false;\n\
             SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {} \\g /dev/null\n",
            database.name(),
            database.text(),
        ));
    };
    close(&from);
    if drop_first {
        close(&to);
        script.push_str(&format!("DROP DATABASE {};\n", to.name()));
    }
    script.push_str(&format!(
        "SELECT format('CREATE DATABASE %I TEMPLATE %I OWNER %I', {}, {}, pg_get_userbyid(datdba)) FROM pg_database \
         WHERE datname = {} \\gexec\n",
        to.text(),
        from.text(),
        from.text(),
    ));
    if !drop_first {
        script.push_str(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS true;\n", from.name()));
    }
    script
}

/// A database's name as SQL has it.
struct Quoted<'a>(&'a str);

impl Quoted<'_> {
    /// As a name.
    fn name(&self) -> String {
        format!("\"{}\"", self.0.replace('"', "\"\""))
    }

    /// As a text.
    fn text(&self) -> String {
        format!("'{}'", self.0.replace('\'', "''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_made_while_nobody_is_connected_and_leaves_the_original_open() {
        insta::assert_snapshot!(clone_script("shop", "shop_shakedown", false));
    }

    #[test]
    fn a_reset_drops_what_tests_used_and_clones_the_template() {
        insta::assert_snapshot!(clone_script("shop_shakedown", "shop", true));
    }

    #[test]
    fn names_are_quoted() {
        let script = clone_script("a\"b", "it's", true);
        assert!(script.contains(r#"DROP DATABASE "it's";"#), "{script}");
        assert!(script.contains(r#"ALTER DATABASE "a""b" ALLOW"#), "{script}");
        assert!(script.contains("datname = 'it''s'"), "{script}");
    }
}
