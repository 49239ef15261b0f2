use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::error::Error;

/// Who runs the server: PostgreSQL refuses to run as root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unprivileged {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Unprivileged {
    /// `None` if we are not root: then the server runs as we do. Else the user `postgres`, else `nobody`.
    pub(super) fn needed() -> Result<Option<Unprivileged>, Error> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let path = Path::new("/etc/passwd");
        let users = fs::read_to_string(path).map_err(Error::file("read", path))?;
        match find(&users, "postgres").or_else(|| find(&users, "nobody")) {
            Some(user) => Ok(Some(user)),
            None => Err(Error::unusable(
                "PostgreSQL does not run as root, and there is neither a user postgres nor nobody",
                "run this as another user, or set DATABASE_URL to a running server",
            )),
        }
    }

    /// The command will run as this user, without supplementary groups.
    pub(super) fn runs(&self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }
}

fn find(users: &str, name: &str) -> Option<Unprivileged> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        (uid != 0).then_some(Unprivileged { uid, gid })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str = "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65533:nobody:/:/usr/sbin/nologin\n";

    #[test]
    fn a_user_is_found_by_its_whole_name() {
        assert_eq!(find(USERS, "nobody"), Some(Unprivileged { uid: 65534, gid: 65533 }));
        assert_eq!(find(USERS, "no"), None);
    }

    #[test]
    fn root_is_never_unprivileged() {
        assert_eq!(find(USERS, "root"), None);
    }
}
