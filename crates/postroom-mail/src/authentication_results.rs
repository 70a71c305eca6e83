//! The Authentication-Results field: what a host on the way found out about who sent a message.
//!
//! Reading is strict: a field that is not of this form says nothing, since who could put a broken one there could put
//! anything there. Who wrote a field is only known by where it stands; see [`crate::message::Passage`].

use serde::{Deserialize, Serialize};

/// Longest field in octets that is read.
const FIELD_MAX: usize = 16 * 1024;
/// Results kept of one field, and properties of one result.
const RESULTS_MAX: usize = 64;
/// Comments within comments.
const NESTING_MAX: usize = 20;

/// What one host says. Everything but `comment` and the values of properties is in lower case.
// RFC 8601 §2.2
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthenticationResults {
    /// By which name the host goes.
    pub authserv_id: String,
    /// One for each check; none if it says that it made no check.
    pub results: Vec<MethodResult>,
}

/// The result of one check.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodResult {
    /// Which check, for example `dkim`.
    pub method: String,
    /// What it found, for example `pass`.
    pub result: String,
    /// All comments of it, in which programs tell what the syntax has no place for.
    pub comment: String,
    /// What was checked, for example `header.d` and its value.
    pub properties: Vec<(String, String)>,
}

impl MethodResult {
    /// The first property of this name, for example `header.from`.
    pub fn property(&self, name: &str) -> Option<&str> {
        self.properties.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The field is not of the form that RFC 8601 gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotResults(&'static str);

enum Token {
    /// A word or a quoted string, and whether it was quoted.
    Word(String, bool),
    Comment(String),
    /// `;`
    End,
    /// `=`
    Equals,
}

impl AuthenticationResults {
    /// Reads the unfolded value of a field.
    ///
    /// # Errors
    /// When it is not of the form that RFC 8601 §2.2 gives it, or over a limit. Microsoft's form `action=none`, a property
    /// without a type, is read as well.
    pub fn parse(value: &str) -> Result<Self, NotResults> {
        let tokens = tokens(value)?;
        let mut sections = tokens.split(|token| matches!(token, Token::End));
        let authserv_id = name_of(sections.next().unwrap_or_default())?;
        let mut results = Vec::new();
        let mut none = false;
        let sections: Vec<_> = sections.collect();
        for (at, section) in sections.iter().enumerate() {
            if section.iter().all(|token| matches!(token, Token::Comment(_))) {
                // Many programs end the field with a semicolon.
                if at + 1 == sections.len() && (none || !results.is_empty()) {
                    break;
                }
                return Err(NotResults("a result is empty"));
            }
            if results.len() >= RESULTS_MAX {
                return Err(NotResults("it has too many results"));
            }
            match result_of(section)? {
                Some(result) => results.push(result),
                None => none = true,
            }
        }
        match (none, results.is_empty()) {
            (false, true) => Err(NotResults("it has no result")),
            (true, false) => Err(NotResults("it says `none` beside results")),
            _ => Ok(Self { authserv_id, results }),
        }
    }

    /// Reads the unfolded value of an ARC-Authentication-Results field, which begins with its instance.
    ///
    /// # Errors
    /// As for [`AuthenticationResults::parse`].
    // RFC 8617 §4.1.1
    pub fn parse_arc(value: &str) -> Result<Self, NotResults> {
        let (instance, rest) = value.split_once(';').ok_or(NotResults("it has no instance"))?;
        let number = instance.split_once('=').filter(|(tag, _)| tag.trim().eq_ignore_ascii_case("i"));
        match number.map(|(_, number)| number.trim().parse::<u8>()) {
            Some(Ok(1..=50)) => Self::parse(rest),
            _ => Err(NotResults("it has no instance")),
        }
    }
}

/// The name of the host, with the version of the field, which can only be 1.
fn name_of(section: &[Token]) -> Result<String, NotResults> {
    let mut words = section.iter().filter_map(|token| match token {
        Token::Word(word, _) => Some(Ok(word)),
        Token::Equals => Some(Err(NotResults("it names no host"))),
        Token::Comment(_) | Token::End => None,
    });
    let name = words.next().ok_or(NotResults("it names no host"))??;
    match words.next().transpose()? {
        None => {}
        Some(version) if version == "1" => {}
        Some(_) => return Err(NotResults("it is of an unknown version")),
    }
    if name.is_empty() || words.next().is_some() {
        return Err(NotResults("it names no host"));
    }
    Ok(name.to_ascii_lowercase())
}

/// One result; `None` for the word that there are none.
fn result_of(section: &[Token]) -> Result<Option<MethodResult>, NotResults> {
    let mut result = MethodResult::default();
    let mut words = Vec::new();
    for token in section {
        match token {
            Token::Comment(text) => {
                if !result.comment.is_empty() {
                    result.comment.push(' ');
                }
                result.comment.push_str(text);
            }
            Token::Word(word, quoted) => words.push((Some(word.as_str()), *quoted)),
            Token::Equals => words.push((None, false)),
            Token::End => {}
        }
    }
    if let [(Some(word), false)] = words.as_slice()
        && word.eq_ignore_ascii_case("none")
    {
        return Ok(None);
    }
    for (at, pair) in words.chunks(3).enumerate() {
        let [(Some(name), false), (None, _), (Some(value), _)] = pair else {
            return Err(NotResults("a result is not of the form name=value"));
        };
        let name = name.to_ascii_lowercase();
        if at == 0 {
            let (method, version) = name.split_once('/').unwrap_or((&name, "1"));
            if version != "1" || !is_keyword(method) || !is_keyword(value) {
                return Err(NotResults("a check has no name, no result or an unknown version"));
            }
            (result.method, result.result) = (method.to_owned(), value.to_ascii_lowercase());
        } else if !name.split('.').all(is_keyword) {
            return Err(NotResults("a property has no name"));
        } else if result.properties.len() < RESULTS_MAX {
            result.properties.push((name, (*value).to_owned()));
        } else {
            return Err(NotResults("a result has too many properties"));
        }
    }
    Ok(Some(result))
}

fn is_keyword(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn tokens(value: &str) -> Result<Vec<Token>, NotResults> {
    if value.len() > FIELD_MAX {
        return Err(NotResults("it is too long"));
    }
    let mut tokens = Vec::new();
    let mut characters = value.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            ' ' | '\t' => {}
            ';' => tokens.push(Token::End),
            '=' => tokens.push(Token::Equals),
            '(' => tokens.push(Token::Comment(comment(&mut characters)?)),
            '"' => tokens.push(Token::Word(quoted(&mut characters)?, true)),
            ')' | '\\' => return Err(NotResults("a comment or a backslash stands where none can")),
            _ if c.is_control() => return Err(NotResults("it has a control character")),
            _ => {
                // Only before its value does `=` divide: signatures, which are values, have it too.
                let is_value = matches!(tokens.last(), Some(Token::Equals));
                let goes_on = |c: &char| {
                    !matches!(c, ' ' | '\t' | ';' | '(' | ')' | '"' | '\\')
                        && !c.is_control()
                        && (is_value || *c != '=')
                };
                let mut word = String::from(c);
                while let Some(next) = characters.next_if(goes_on) {
                    word.push(next);
                }
                // A local part may be quoted: smtp.mailfrom="a b"@example.org
                tokens.push(Token::Word(word, false));
            }
        }
        join_quoted_local_part(&mut tokens);
    }
    Ok(tokens)
}

/// Puts an address together whose local part is quoted.
fn join_quoted_local_part(tokens: &mut Vec<Token>) {
    if let [.., Token::Word(local, true), Token::Word(domain, false)] = tokens.as_mut_slice()
        && domain.starts_with('@')
    {
        *local = format!("\"{local}\"{domain}");
        tokens.pop();
    }
}

type Characters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// The rest of a comment whose parenthesis was just read.
// RFC 5322 §3.2.2
fn comment(characters: &mut Characters<'_>) -> Result<String, NotResults> {
    let (mut text, mut depth) = (String::new(), 1);
    while let Some(c) = characters.next() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            '\\' => text.extend(characters.next()),
            _ if c.is_control() && c != '\t' => return Err(NotResults("it has a control character")),
            _ => text.push(c),
        }
        if depth == 0 {
            return Ok(text);
        }
        if depth > NESTING_MAX {
            break;
        }
    }
    Err(NotResults("a comment does not end"))
}

/// The rest of a quoted string.
// RFC 5322 §3.2.4
fn quoted(characters: &mut Characters<'_>) -> Result<String, NotResults> {
    let mut text = String::new();
    while let Some(c) = characters.next() {
        match c {
            '"' => return Ok(text),
            '\\' => text.extend(characters.next()),
            _ if c.is_control() && c != '\t' => return Err(NotResults("it has a control character")),
            _ => text.push(c),
        }
    }
    Err(NotResults("a quoted string does not end"))
}

#[cfg(test)]
mod tests;
