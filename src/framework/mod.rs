//! x
/// A test as its framework lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedTest {
    /// How the framework addresses it.
    pub selector: String,
    /// The file, relative to the suite's folder.
    pub file: String,
    /// The line in `file`, from 1; 0 where it is not known.
    pub line: u32,
    /// The full name.
    pub name: String,
    /// The suite's own tags.
    pub tags: Vec<String>,
}
