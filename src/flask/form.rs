//! The form of a value in the record, for serde's `with`.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// A value that Python gives another form than Rust does.
pub(super) trait Form: Sized {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

/// A value to be written in its form.
pub(super) struct Write<'a, T>(pub(super) &'a T);

impl<T: Form> Serialize for Write<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

/// A value that was read from its form.
pub(super) struct Read<T>(pub(super) T);

impl<'de, T: Form> Deserialize<'de> for Read<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Self)
    }
}

/// A value that is a text.
pub(super) struct Text<T> {
    /// What it is, for the error.
    expected: &'static str,
    parse: fn(&str) -> Option<T>,
    value: PhantomData<fn() -> T>,
}

impl<T> Text<T> {
    pub(super) const fn new(expected: &'static str, parse: fn(&str) -> Option<T>) -> Self {
        Self { expected, parse, value: PhantomData }
    }
}

impl<T> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        // The text is session data, so the error does not repeat it.
        (self.parse)(text).ok_or_else(|| E::custom(format_args!("not {}", self.expected)))
    }
}

/// The functions that `with` looks for, and those for an `Option`. The type is
/// named by its whole path.
macro_rules! with {
    ($value:ty) => {
        /// Writes a value in the form that Python gives it.
        ///
        /// # Errors
        ///
        /// When it has none, and those of the serializer.
        pub fn serialize<S: serde::Serializer>(
            value: &$value,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            super::form::Form::write(value, serializer)
        }

        /// Reads a value in the form that Python gives it.
        ///
        /// # Errors
        ///
        /// When there is anything else.
        pub fn deserialize<'de, D: serde::Deserializer<'de>>(
            deserializer: D,
        ) -> Result<$value, D::Error> {
            super::form::Form::read(deserializer)
        }

        /// The same for an `Option`, which is `None` in Python.
        pub mod option {
            use serde::{Deserialize, Serialize};

            use super::super::form::{Read, Write};

            /// Writes a value in the form that Python gives it, or none.
            ///
            /// # Errors
            ///
            /// When it has no form, and those of the serializer.
            pub fn serialize<S: serde::Serializer>(
                value: &Option<$value>,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                value.as_ref().map(Write).serialize(serializer)
            }

            /// Reads a value in the form that Python gives it, or none.
            ///
            /// # Errors
            ///
            /// When there is anything else.
            pub fn deserialize<'de, D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Option<$value>, D::Error> {
                let value = Option::<Read<$value>>::deserialize(deserializer)?;
                Ok(value.map(|Read(value)| value))
            }
        }
    };
}

pub(super) use with;
