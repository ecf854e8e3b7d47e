//! Items under headings.

/// In the order of the first item of each heading.
pub fn grouped<H: PartialEq, T>(items: impl IntoIterator<Item = (H, T)>) -> Vec<(H, Vec<T>)> {
    let mut groups: Vec<(H, Vec<T>)> = Vec::new();
    for (heading, item) in items {
        match groups.iter_mut().find(|(known, _)| *known == heading) {
            Some((_, items)) => items.push(item),
            None => groups.push((heading, vec![item])),
        }
    }
    groups
}
