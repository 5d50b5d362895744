//! What is said of a run: figures, JUnit, JSON, Markdown, the terminal, and the files in the run folder.

mod report {
    mod figures;
    mod files;
    mod junit;
    mod preview;
    mod sample;
    mod terminal;
}
