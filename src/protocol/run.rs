//! One rotation under way: what is durable (the journal's intent), what is in memory, and the
//! commits of its branch.

use base64::Engine as _;

use super::escrow::{EscrowIdentity, SealedIdentity};
use super::intent::Intent;
use super::preflight::Standing;
use super::seams::{Seams, Wanted};
use super::think::Thought;
use super::trailers::{Trailers, branch};
use crate::error::{Error, Result};
use crate::forge::PullRequest;
use crate::model::{AccessKeyId, AccessKeyPair, AccountId, Change, UserName};
use crate::repo::{Event, Hold, Ledger, Stamp};

/// A rotation under way.
pub(super) struct Run<'a> {
    /// The outside.
    pub seams: &'a Seams<'a>,
    /// What was asked for.
    pub wanted: &'a Wanted<'a>,
    /// What reading and planning gave.
    pub thought: Thought,
    /// What is durable.
    pub intent: Intent,
    /// The right to change the journal for this access key.
    pub hold: Hold,
    /// The owner.
    pub user: UserName,
    /// The account.
    pub account: AccountId,
    /// What opens the escrow, once it was made or opened.
    pub escrow: Option<EscrowIdentity>,
    /// The new pair, while it is in memory.
    pub pair: Option<AccessKeyPair>,
    /// The pull request, once it stands.
    pub pull_request: Option<PullRequest>,
    /// Whether the new pair stands on base already: only the record is left to do.
    pub merged: bool,
    /// What was left undone without harm.
    pub warnings: Vec<String>,
}

impl<'a> Run<'a> {
    /// A new rotation; nothing is written yet.
    ///
    /// # Errors
    /// `journal-busy` when another process of this machine rotates the same access key.
    pub(super) fn begin(
        seams: &'a Seams<'a>,
        wanted: &'a Wanted<'a>,
        standing: &Standing,
        thought: Thought,
    ) -> Result<Self> {
        let mut noise = [0_u8; 16];
        aws_lc_rs::rand::fill(&mut noise).map_err(|_| Error::bug("no random bytes"))?;
        let rotation: String = noise.iter().map(|b| format!("{b:02x}")).collect();
        let branch = branch(&wanted.branch_prefix, &standing.user, &wanted.old);
        let intent = Intent {
            version: 1,
            rotation,
            account: standing.account.to_string(),
            user: standing.user.to_string(),
            old: wanted.old.to_string(),
            new: wanted.given.as_ref().map(|pair| pair.id.to_string()),
            given: wanted.given.is_some(),
            listed: standing.listed.keys.iter().map(|key| key.id.to_string()).collect(),
            started_at: standing.listed.read_at.0,
            old_last_used: standing.old_use.last_used.at.map(|at| at.0),
            remote: seams.remote.address().to_owned(),
            base_branch: thought.base.reference.clone(),
            base_commit: thought.base.commit.clone(),
            branch,
            branch_commit: None,
            create_sent: false,
            create_sent_at: None,
            announced: false,
            pushing: None,
            confirmed: false,
            proved_with: super::steps::windows_used(seams.policy),
            probes: Vec::new(),
            rewritten: None,
            pull_request: None,
            pairs: wanted.chosen.iter().map(|one| format!("{}={}", one.id, one.secret)).collect(),
            chosen: wanted.paths.clone(),
            accepted: wanted.accepted.clone(),
            sign_off: wanted.sign_off,
            form: wanted.form.clone(),
            step: "begin".to_owned(),
        };
        Ok(Self {
            seams,
            wanted,
            thought,
            intent,
            hold: seams.journal.hold(wanted.old.as_str())?,
            user: standing.user.clone(),
            account: standing.account.clone(),
            escrow: None,
            pair: None,
            pull_request: None,
            merged: false,
            warnings: Vec::new(),
        })
    }

    /// Makes the intent durable, as of a step.
    ///
    /// # Errors
    /// When the disk does not take it; the old content then still stands.
    pub(super) fn record(&mut self, step: &str) -> Result<()> {
        step.clone_into(&mut self.intent.step);
        self.intent.write(&self.hold)
    }

    /// The full reference of the rotation's branch.
    #[must_use]
    pub(super) fn reference(&self) -> String {
        self.intent.reference()
    }

    /// The new access key's ID, once it is known.
    ///
    /// # Errors
    /// A defect only.
    pub(super) fn new_id(&self) -> Result<AccessKeyId> {
        match &self.intent.new {
            Some(id) => AccessKeyId::new(id.as_str()),
            None => Err(Error::bug("the new access key was needed before it exists")),
        }
    }

    /// The new pair: from memory, else from the escrow.
    ///
    /// # Errors
    /// `escrow-missing`, `escrow-locked`, `escrow-damaged`.
    pub(super) fn pair(&mut self) -> Result<&AccessKeyPair> {
        if self.pair.is_none() {
            let name = self.escrow_name();
            let sealed = self.seams.journal.read(&name)?.ok_or_else(|| {
                Error::refused(
                    "escrow-missing",
                    "the new pair is not in the escrow of this machine",
                )
                .hint("`keyroll abort` retires the new access key")
            })?;
            let pair = self.escrow_identity()?.decrypt(&sealed)?;
            self.pair = Some(pair);
        }
        self.pair.as_ref().ok_or_else(|| Error::bug("a pair that was just opened is gone"))
    }

    /// The escrow's identity: from memory, else opened with the keyring.
    ///
    /// # Errors
    /// `escrow-missing`, `escrow-locked`.
    pub(super) fn escrow_identity(&mut self) -> Result<&EscrowIdentity> {
        if self.escrow.is_none() {
            let bytes = self.seams.journal.read(&self.identity_name())?.ok_or_else(|| {
                Error::refused("escrow-missing", "the escrow's identity is not on this machine")
            })?;
            let sealed: SealedIdentity = serde_json::from_slice(&bytes).map_err(|_| {
                Error::refused("escrow-damaged", "the escrow's identity is damaged")
            })?;
            self.escrow = Some(sealed.open(self.seams.keyring)?);
        }
        self.escrow.as_ref().ok_or_else(|| Error::bug("an identity that was just opened is gone"))
    }

    /// The name of the file with the sealed identity.
    #[must_use]
    pub(super) fn identity_name(&self) -> String {
        format!("{}.identity", self.intent.rotation)
    }

    /// The name of the file with the sealed pair.
    #[must_use]
    pub(super) fn escrow_name(&self) -> String {
        format!("{}.pair.age", self.intent.rotation)
    }

    /// What the branch's commits say.
    ///
    /// # Errors
    /// A defect only.
    pub(super) fn trailers(&self) -> Result<Trailers> {
        let listed: Result<Vec<AccessKeyId>> =
            self.intent.listed.iter().map(|id| AccessKeyId::new(id.as_str())).collect();
        Ok(Trailers {
            rotation: self.intent.rotation.clone(),
            user: self.user.clone(),
            account: self.account.clone(),
            old: self.wanted.old.clone(),
            new: self.intent.new.as_ref().map(|_| self.new_id()).transpose()?,
            listed: listed?,
            started_at: crate::model::Timestamp(self.intent.started_at),
        })
    }

    /// One commit on base.
    ///
    /// # Errors
    /// As `Repository::commit`.
    pub(super) fn commit(&self, changes: &[Change], message: &str) -> Result<String> {
        let stamp = Stamp {
            author: self.seams.author,
            at: (self.seams.clock)(),
            signing: self.seams.signing,
        };
        let base = Some(self.thought.base.commit.as_str());
        self.seams.remote.objects().commit(base, changes, message, &stamp)
    }
}

/// Adds one event of a rotation to the ledger, with who, whose and which.
///
/// # Errors
/// Network errors.
pub(super) fn record_event(seams: &Seams<'_>, intent: &Intent, mut event: Event) -> Result<()> {
    let (author, signing) = (seams.author, seams.signing);
    let stamp = Stamp { author, at: (seams.clock)(), signing };
    event.rotation = Some(intent.rotation.clone());
    event.actor = Some(format!("{} <{}>", author.name, author.email));
    event.old = Some(intent.old.clone());
    event.new.clone_from(&intent.new);
    event.user = Some(intent.user.clone());
    event.account = Some(intent.account.clone());
    Ledger::of(seams.remote).append(&AccessKeyId::new(intent.old.as_str())?, &event, &stamp)
}

/// The digest of a sealed token, for the ledger: SHA-256, in base64.
#[must_use]
pub(super) fn digest(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    base64::engine::general_purpose::STANDARD_NO_PAD.encode(digest)
}
