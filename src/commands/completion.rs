//! `completion`: prints a script that completes the command line in a shell.

use clap::Args;
use clap_complete::Shell;

use super::output::{CommandError, say};

#[derive(Args)]
pub struct Arguments {
    shell: Shell,
}

pub fn run(mut command: clap::Command, arguments: &Arguments) -> Result<(), CommandError> {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, name, &mut script);
    say!("{}", String::from_utf8_lossy(&script).trim_end())
}
