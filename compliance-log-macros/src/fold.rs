//! What a character looks like to a reader.

/// The ASCII character that `c` looks like; nothing for what cannot be seen.
pub(super) fn fold(c: char) -> Option<char> {
    Some(match c {
        '\t' | '\n' | '\r' | ' '..='~' => c,
        c if is_hidden(c) => return None,
        '\u{ff01}'..='\u{ff5e}' => moved(c, '\u{ff01}', '!', u32::MAX),
        '\u{1d400}'..='\u{1d6a3}' => match u32::from(c) - 0x1d400 {
            at if at % 52 < 26 => moved(c, '\u{1d400}', 'A', 52),
            _ => moved(c, '\u{1d41a}', 'a', 52),
        },
        '\u{1d7ce}'..='\u{1d7ff}' => moved(c, '\u{1d7ce}', '0', 10),
        '\u{660}'..='\u{669}' => moved(c, '\u{660}', '0', 10),
        '\u{6f0}'..='\u{6f9}' => moved(c, '\u{6f0}', '0', 10),
        '\u{966}'..='\u{96f}' => moved(c, '\u{966}', '0', 10),
        '\u{24b6}'..='\u{24cf}' => moved(c, '\u{24b6}', 'A', 26),
        '\u{24d0}'..='\u{24e9}' => moved(c, '\u{24d0}', 'a', 26),
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}' => '-',
        '\u{2236}' | '\u{a789}' | '\u{fe55}' => ':',
        '\u{a78a}' | '\u{fe66}' => '=',
        c => letter(c),
    })
}

/// What cannot be seen: controls but tabs and line breaks, joiners, marks that reorder, combine or
/// select a variant, and tags.
fn is_hidden(c: char) -> bool {
    matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}'
        | '\u{300}'..='\u{36f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{e0000}'..='\u{e01ef}')
}

/// The character as far from `to` as `c` is from `from`, in an alphabet of so many that repeats.
fn moved(c: char, from: char, to: char, alphabet: u32) -> char {
    let by = (u32::from(c) - u32::from(from)) % alphabet;
    char::from_u32(u32::from(to) + by).unwrap_or(c)
}

/// Letters of other alphabets, as what they are taken for.
fn letter(c: char) -> char {
    match c {
        'а' | 'α' | 'ɑ' => 'a',
        'А' | 'Α' => 'A',
        'В' | 'Β' => 'B',
        'с' | 'ϲ' => 'c',
        'С' | 'Ϲ' => 'C',
        'ԁ' => 'd',
        'е' | 'ε' => 'e',
        'Е' | 'Ε' => 'E',
        'ɡ' => 'g',
        'һ' => 'h',
        'Н' | 'Η' => 'H',
        'і' | 'ι' | 'ı' => 'i',
        'І' | 'Ι' => 'I',
        'ј' => 'j',
        'Ј' => 'J',
        'к' | 'κ' => 'k',
        'К' | 'Κ' | '\u{212a}' => 'K',
        'ӏ' => 'l',
        'м' => 'm',
        'М' | 'Μ' => 'M',
        'п' | 'η' => 'n',
        'Ν' => 'N',
        'о' | 'ο' | 'σ' => 'o',
        'О' | 'Ο' => 'O',
        'р' | 'ρ' => 'p',
        'Р' | 'Ρ' => 'P',
        'ԛ' => 'q',
        'ѕ' | 'ſ' => 's',
        'Ѕ' => 'S',
        'т' | 'τ' => 't',
        'Т' | 'Τ' => 'T',
        'υ' | 'ս' => 'u',
        'ν' | 'ѵ' => 'v',
        'ԝ' | 'ω' => 'w',
        'Ԝ' => 'W',
        'х' | 'χ' => 'x',
        'Х' | 'Χ' => 'X',
        'у' | 'γ' | 'ү' => 'y',
        'У' | 'Υ' => 'Y',
        'Ζ' => 'Z',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_folds_to_what_a_reader_sees() {
        for (text, seen) in [
            ("ｐａｓｓ\u{200b}ｗｏｒｄ＝１", "password=1"),
            ("раsswоrd", "password"),
            ("pass\u{ad}wo\u{301}rd", "password"),
            ("\u{1d400}\u{1d40a}\u{1d408}\u{1d400}", "AKIA"),
            ("\u{1d68a}\u{1d7d7}\u{24d0}\u{24cf}", "a9aZ"),
            ("A\0K\u{1b}I\u{85}A\u{fe0f}", "AKIA"),
            ("xoxb\u{2011}1\u{a0}2", "xoxb-1 2"),
            ("Grüße, 日本", "Grüße, 日本"),
            ("٤١١١ ۴۱ ४१", "4111 41 41"),
            ("a\tb\r\nc", "a\tb\r\nc"),
        ] {
            assert_eq!(text.chars().filter_map(fold).collect::<String>(), seen);
        }
    }
}
