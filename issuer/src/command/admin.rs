//! `bearward-issuer admin create`: the first administrator, without default credentials, and the way back in for one who
//! is locked out.

mod password;

use clap::Args;

use self::password::{Given, PasswordSource, prompt};
use super::{Failure, runtime, say};
use crate::account::{ADMIN, Email, Name, NewPassword};
use crate::audit::{Event, Kind};
use crate::hashing::{Hasher, PasswordHash};
use crate::password_link::LinkToken;
use crate::random;
use crate::settings::{self, AdminSettings, HashSettings, PasswordLinkSettings, PasswordSettings, Sources};
use crate::store::{
    Account, AdministrationError, NewAccount, NewPasswordLink, Promotion, Refused, Store, connect,
};

#[derive(Debug, Args)]
pub(crate) struct CreateArguments {
    /// The administrator's e-mail address; compared without letter case.
    #[arg(long)]
    email: String,
    /// The administrator's name. With --promote an existing account keeps its name without this.
    #[arg(long, required_unless_present = "promote")]
    name: Option<String>,
    /// Makes an administrator of an account that is there: its sessions end and its password is void, so that whoever has
    /// it now has it no more.
    #[arg(long)]
    promote: bool,
    #[command(flatten)]
    password: PasswordSource,
}

/// No log is begun: standard output is the link's, where there is one.
pub(crate) fn create(sources: &Sources, arguments: &CreateArguments) -> Result<(), Failure> {
    let AdminSettings { database, passwords, password_links } = settings::read(sources, AdminSettings::read)?;
    let wanted = Wanted::parse(arguments, passwords)?;
    runtime()?.block_on(async {
        // Waits for the database; what it finds there is up to `migrate`.
        drop(connect::connection(&database).await.map_err(Failure::new)?);
        let store = connect::pool(&database);
        let found = store.account_by_email(wanted.email.as_str()).await.map_err(Failure::new)?;
        match found {
            Some(account) if arguments.promote => promote(&store, wanted, &account, &password_links).await,
            Some(_) => {
                let event = Event::of_operator(Kind::UserCreate);
                store.audit_refused(&event, Refused::EmailTaken).await.map_err(Failure::new)?;
                Err(is_taken(&wanted.email))
            }
            None => create_new(&store, wanted, &password_links).await,
        }
    })
}

async fn create_new(store: &Store, wanted: Wanted, links: &PasswordLinkSettings) -> Result<(), Failure> {
    let Wanted { email, name, password } = wanted;
    let Some(name) = &name else {
        let text = "has no account that could be promoted: give --name, and one is created";
        return Err(Failure::usage(format!("{} {text}", email.as_str())));
    };
    let secret = password.secret(Some(name), &email).await?;
    let id = random::uuid().map_err(Failure::new)?;
    let event = Event::of_operator(Kind::UserCreate).about(id);
    let account = NewAccount {
        id,
        name,
        email: &email,
        roles: &[ADMIN.to_owned()],
        password_hash: &secret.password_hash,
        link: secret.new_link(links),
    };
    match store.create_account(&account, &event).await {
        Ok(_) => {}
        // Signed up since we looked.
        Err(AdministrationError::Refused(Refused::EmailTaken)) => return Err(is_taken(&email)),
        Err(error) => return Err(Failure::new(error)),
    }
    say(&format!("created administrator {} with id {id}", email.as_str()));
    secret.show(links);
    Ok(())
}

async fn promote(
    store: &Store,
    wanted: Wanted,
    account: &Account,
    links: &PasswordLinkSettings,
) -> Result<(), Failure> {
    let Wanted { email, name, password } = wanted;
    let kept = Name::parse(&account.name).ok();
    let secret = password.secret(name.as_ref().or(kept.as_ref()), &email).await?;
    let password_hash = &secret.password_hash;
    let promotion = Promotion { name: name.as_ref(), password_hash, link: secret.new_link(links) };
    let event = Event::of_operator(Kind::AdminPromote).about(account.id);
    store.promote(account.id, &promotion, &event).await.map_err(Failure::new)?;
    let text = "sessions and password of before are void";
    say(&format!("promoted {} with id {}: {text}", email.as_str(), account.id));
    secret.show(links);
    Ok(())
}

fn is_taken(email: &Email) -> Failure {
    let text = "has an account already, which stays as it is: choose another address, or take it over with --promote";
    Failure::new(format!("{} {text}", email.as_str()))
}

/// What the arguments ask for, held to the rules of signup.
struct Wanted {
    email: Email,
    name: Option<Name>,
    password: Password,
}

enum Password {
    Chosen(NewPassword),
    /// By a person, once it is known that it makes sense.
    Asked(PasswordSettings),
    ByLink,
}

impl Wanted {
    /// All that is wrong is reported at once.
    fn parse(arguments: &CreateArguments, rules: PasswordSettings) -> Result<Self, Failure> {
        let email = Email::parse(&arguments.email);
        let name = arguments.name.as_deref().map(Name::parse).transpose();
        let password = arguments.password.read().and_then(|given| match given {
            Given::Text(text) => {
                let name = name.as_ref().ok().and_then(Option::as_ref);
                NewPassword::parse(text, rules)?.apart_from(name, email.as_ref().ok()).map(Password::Chosen)
            }
            Given::Prompt => Ok(Password::Asked(rules)),
            Given::Link => Ok(Password::ByLink),
        });
        match (email, name, password) {
            (Ok(email), Ok(name), Ok(password)) => Ok(Self { email, name, password }),
            (email, name, password) => {
                let errors = [email.err(), name.err(), password.err()];
                Err(Failure::usage(errors.into_iter().flatten().collect::<Vec<_>>().join("; ")))
            }
        }
    }
}

impl Password {
    /// `name`: the one that the account will have.
    async fn secret(self, name: Option<&Name>, email: &Email) -> Result<Secret, Failure> {
        let password = match self {
            Self::Chosen(password) => Ok(password),
            Self::Asked(rules) => prompt(email.as_str()).and_then(|text| NewPassword::parse(text, rules)),
            Self::ByLink => {
                let token = Some(LinkToken::new().map_err(Failure::new)?);
                return Ok(Secret { password_hash: PasswordHash::of_no_password(), token });
            }
        };
        let password = password.and_then(|password| password.apart_from(name, Some(email)));
        let password = password.map_err(Failure::usage)?;
        let hasher = Hasher::new(HashSettings { permits: 1, queue: 0 }).map_err(Failure::new)?;
        let password_hash = hasher.hash(password).await.map_err(Failure::new)?;
        Ok(Secret { password_hash, token: None })
    }
}

/// What the administrator will log in with.
struct Secret {
    password_hash: PasswordHash,
    token: Option<LinkToken>,
}

impl Secret {
    fn new_link(&self, links: &PasswordLinkSettings) -> Option<NewPasswordLink> {
        let token = self.token.as_ref()?;
        Some(NewPasswordLink { token_hash: token.hash(), seconds: links.seconds })
    }

    fn show(&self, links: &PasswordLinkSettings) {
        if let Some(token) = &self.token {
            say(&super::user::link_text(token, links));
        }
    }
}
