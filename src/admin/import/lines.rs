//! Several choices in one cell of a CSV file, such as the groups of a user: their labels, one a line. A line break in a
//! label is written `\n`, and a backslash `\\`, so that no label can be taken for two.

use std::collections::HashMap;

use diesel::QueryResult;

use super::csv_file::{CsvRow, Sheet};
use crate::admin::model_admin::{ModelAdmin, Staff, Values};
use crate::db::Connection;
use crate::error::FieldErrors;
use crate::models::Field;
use crate::models::clean::strip;

pub fn read(cell: &str) -> Vec<String> {
    cell.lines().map(strip).filter(|line| !line.is_empty()).map(unescape).collect()
}

fn unescape(line: &str) -> String {
    let (mut label, mut signs) = (String::new(), line.chars());
    while let Some(sign) = signs.next() {
        match (sign, signs.as_str().chars().next()) {
            ('\\', Some(next @ ('n' | '\\'))) => {
                label.push(if next == 'n' { '\n' } else { next });
                signs.next();
            }
            _ => label.push(sign),
        }
    }
    label
}

/// The choices of the fields of a sheet that take several.
pub struct Lists(Vec<(&'static Field, HashMap<String, String>)>);

impl Lists {
    pub fn of(conn: &mut Connection, model: &dyn ModelAdmin, sheet: &Sheet) -> QueryResult<Lists> {
        let mut lists = Vec::new();
        for field in sheet.fields().filter(|field| !field.is_column()) {
            let choices = model.choices(conn, &[], field.name)?;
            lists.push((field, choices.into_iter().map(|choice| (choice.label, choice.value)).collect()));
        }
        Ok(Lists(lists))
    }

    pub fn label(&self, field: &str, value: &str) -> Option<&str> {
        let (_, choices) = self.0.iter().find(|(known, _)| known.name == field)?;
        choices.iter().find(|(_, known)| *known == value).map(|(label, _)| label.as_str())
    }

    /// Puts the choices of a row's cells over `values`, by the rules of the form: choices that `staff` may not give stay
    /// as they are.
    pub fn fill(
        &self,
        conn: &mut Connection,
        model: &dyn ModelAdmin,
        (sheet, row): (&Sheet, &CsvRow),
        staff: &Staff,
        mut values: Values,
        errors: &mut FieldErrors,
    ) -> QueryResult<Values> {
        for (field, choices) in &self.0 {
            let Some(cell) = sheet.cell(row, field) else { continue };
            let (mut chosen, held, mut wrong) = (Vec::new(), values.list(field.name), Vec::new());
            for label in read(cell) {
                match choices.get(&label) {
                    Some(value) => chosen.push(value.clone()),
                    None => wrong.push(format!("“{label}” does not exist.")),
                }
            }
            for value in held.iter().filter(|value| !chosen.contains(value)).cloned().collect::<Vec<_>>() {
                let is_free = model.check_import(conn, field.name, &value)?.is_ok();
                if !is_free || !model.is_grantable(conn, field.name, &value, staff)? {
                    chosen.push(value);
                }
            }
            for value in chosen.iter().filter(|value| !held.contains(value)) {
                wrong.extend(model.check_import(conn, field.name, value)?.err());
            }
            errors.add(field.name, wrong);
            chosen.sort_unstable();
            chosen.dedup();
            values = values.with(field.name, chosen);
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_label_whatever_is_in_it() {
        for (cell, labels) in [
            ("Editors\nA, B; C\r\n Readers \n\n", &["Editors", "A, B; C", "Readers"][..]),
            ("two\\nlines\nC:\\\\new\nend\\", &["two\nlines", "C:\\new", "end\\"]),
            ("", &[]),
        ] {
            assert_eq!(read(cell), labels, "{cell:?}");
        }
    }
}
