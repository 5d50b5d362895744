//! What can be scripted.

use std::time::Duration;

use super::super::RefusalKind;

/// The verbs of an engine that may be scripted and are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the method of the same name")]
pub enum Verb {
    Describe,
    Ping,
    InspectImage,
    PullImage,
    BuildImage,
    ListImages,
    RemoveImage,
    ImportImage,
    TagImage,
    CreateNetwork,
    RemoveNetwork,
    CreateVolume,
    RemoveVolume,
    CreateContainer,
    StartContainer,
    StopContainer,
    InspectContainer,
    RemoveContainer,
    FollowFigures,
    WriteFile,
    ReadArchive,
    Exec,
    ExecExitCode,
    FollowLogs,
    Events,
    List,
    Host,
    UsedSubnets,
    StoredImages,
}

impl Verb {
    /// The verb as it stands in the record.
    pub fn word(self) -> &'static str {
        match self {
            Self::Describe => "describe",
            Self::Ping => "ping",
            Self::InspectImage => "inspect image",
            Self::PullImage => "pull image",
            Self::BuildImage => "build image",
            Self::ListImages => "list images",
            Self::RemoveImage => "remove image",
            Self::ImportImage => "import image",
            Self::TagImage => "tag image",
            Self::CreateNetwork => "create network",
            Self::RemoveNetwork => "remove network",
            Self::CreateVolume => "create volume",
            Self::RemoveVolume => "remove volume",
            Self::CreateContainer => "create container",
            Self::StartContainer => "start container",
            Self::StopContainer => "stop container",
            Self::InspectContainer => "inspect container",
            Self::RemoveContainer => "remove container",
            Self::FollowFigures => "follow figures",
            Self::WriteFile => "write file",
            Self::ReadArchive => "read archive",
            Self::Exec => "exec",
            Self::ExecExitCode => "exec exit code",
            Self::FollowLogs => "follow logs",
            Self::Events => "events",
            Self::List => "list",
            Self::Host => "host",
            Self::UsedSubnets => "used subnets",
            Self::StoredImages => "stored images",
        }
    }
}

/// What a scripted call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// It is refused.
    Refuse(RefusalKind),
    /// It takes this long.
    Delay(Duration),
    /// It takes effect after this long, also when nobody waits for it any more.
    LandLate(Duration),
    /// It is never answered.
    Never,
    /// It panics.
    Panic,
}

/// What a container does once it is started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Life {
    /// What it writes at its start, line by line.
    pub says: Vec<String>,
    /// When and how it ends: after this long, with this exit code. `None`: it runs until it is removed.
    pub ends: Option<(Duration, i64)>,
    /// Whether it ends for want of memory.
    pub out_of_memory: bool,
    /// In how many containers of this kind; the later ones run. `None`: in all.
    pub times: Option<u32>,
}

impl Life {
    /// Runs, and writes this at its start.
    pub fn says(lines: &[&str]) -> Self {
        Self { says: lines.iter().map(|line| (*line).to_owned()).collect(), ..Self::default() }
    }

    /// Ends after a while.
    pub fn ends(after: Duration, code: i64) -> Self {
        Self { ends: Some((after, code)), ..Self::default() }
    }
}

/// What a command in a container does: it writes and ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// How long it takes.
    pub after: Duration,
    /// What it writes on its standard output.
    pub stdout: String,
    /// What it writes on its standard error.
    pub stderr: String,
    /// Its exit code.
    pub code: i64,
    /// Whether the kernel kills a process of its container for want of memory, at its end.
    pub out_of_memory: bool,
}

impl Answer {
    /// Ends at once with this exit code.
    pub fn code(code: i64) -> Self {
        Self { code, ..Self::default() }
    }

    /// Ends at once with this exit code and these words on standard output.
    pub fn saying(code: i64, words: &str) -> Self {
        Self { code, stdout: words.to_owned(), ..Self::default() }
    }
}

/// A rule: calls `first` to `first + times - 1` of a verb on a subject do as it says.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) verb: Verb,
    pub(super) subject: String,
    pub(super) first: u32,
    pub(super) times: u32,
    pub(super) does: Does,
    pub(super) seen: u32,
}
