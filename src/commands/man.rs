//! `man`: writes the manual pages, for packages.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::output::CommandError;
use crate::config::{SECRETS, SETTINGS};

#[derive(Args)]
pub struct Arguments {
    /// The folder for the pages; it is created if it is missing
    folder: PathBuf,
}

/// Writes `gatepost.1`, with all settings, and a page for each command.
pub fn run(command: clap::Command, arguments: &Arguments) -> Result<(), CommandError> {
    let folder = &arguments.folder;
    let fail = |error| CommandError::new(format!("{}: {error}", folder.display()));
    fs::create_dir_all(folder).map_err(fail)?;
    let program = command.disable_help_subcommand(true);
    let page = main_page(&program)?;
    let path = folder.join(format!("{}.1", program.get_name()));
    clap_mangen::generate_to(program, folder).map_err(fail)?;
    fs::write(path, page).map_err(fail)
}

fn main_page(program: &clap::Command) -> Result<Vec<u8>, CommandError> {
    let man = Man::new(program.clone()).title(program.get_name().to_uppercase());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    man.render_subcommands_section(&mut page)?;
    settings().to_writer(&mut page)?;
    man.render_version_section(&mut page)?;
    Ok(page)
}

fn settings() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["ENVIRONMENT"]);
    roff.text([roman("The Debian package has the documents that are named here in /usr/share/doc/gatepost/.")]);
    for setting in SETTINGS {
        roff.control("TP", []);
        roff.text([bold(setting.name)]);
        let text = format!("{} Default: {}.", setting.meaning, setting.default);
        roff.text([roman(text.replace('`', ""))]);
    }
    for secret in SECRETS {
        roff.control("TP", []);
        roff.text([bold(secret.file)]);
        roff.text([roman(format!("A file with the value of {}, instead of the variable.", secret.name))]);
    }
    roff
}
