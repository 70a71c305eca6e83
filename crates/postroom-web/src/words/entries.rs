//! How an entry of the catalogue is written.

/// Declares entries: `name(values) = English, German;`. Without values an entry is a `&'static str`, with values a `String`
/// in which they stand where the text names them. A value must be named in both or in neither, which is the translator's
/// to say. `name[count] = (one, many), (one, many);` has a form for one and a form for any other number.
macro_rules! entries {
    ($($name:ident $values:tt = $english:tt, $german:tt;)*) => {
        impl $crate::words::Language { $(entries!(@ $name $values $english $german);)* }
    };
    (@ $name:ident () $english:literal $german:literal) => {
        pub(crate) fn $name(self) -> &'static str {
            match self {
                Self::English => $english,
                Self::German => $german,
            }
        }
    };
    (@ $name:ident ($($value:ident),+) $english:literal $german:literal) => {
        pub(crate) fn $name(self, $($value: impl std::fmt::Display),+) -> String {
            match self {
                Self::English => format!($english),
                Self::German => format!($german),
            }
        }
    };
    (@ $name:ident [$count:ident] ($one:literal, $many:literal) ($eins:literal, $viele:literal)) => {
        pub(crate) fn $name(self, count: &u64) -> String {
            let $count = self.number(count);
            match (self, *count) {
                (Self::English, 1) => format!($one),
                (Self::English, _) => format!($many),
                (Self::German, 1) => format!($eins),
                (Self::German, _) => format!($viele),
            }
        }
    };
}

/// A text with values in both languages, where it is used.
macro_rules! say {
    ($language:expr, $english:literal, $german:literal) => {
        match $language {
            $crate::words::Language::English => format!($english),
            $crate::words::Language::German => format!($german),
        }
    };
}
