//! The glue keeps each result in a variable before it returns it, which weighs as much as what the popup says in a
//! language.

/// `script` without `const ret = VALUE;` where `return ret;` is all that follows.
pub(crate) fn at_once(script: &str) -> String {
    let mut lines = script.lines().peekable();
    let mut text = String::with_capacity(script.len());
    while let Some(line) = lines.next() {
        let value = line.trim_start().strip_prefix("const ret = ");
        let returned = lines.next_if(|next| value.is_some() && next.trim_start() == "return ret;");
        match value.filter(|_| returned.is_some()) {
            Some(value) => text.extend(["return ", value]),
            None => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::at_once;

    #[test]
    fn a_result_that_is_only_returned_needs_no_name() {
        let script = "const ret = a.b(c);\n    return ret;\nconst ret = d;\nf(ret);\nreturn ret;\n";
        let expected = "return a.b(c);\nconst ret = d;\nf(ret);\nreturn ret;\n";
        assert_eq!(at_once(script), expected);
    }
}
