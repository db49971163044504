//! The implementations that every codec without a value has, for any data.

/// `Clone`, `Copy`, `Debug` and `Default`, without asking them of `T`.
macro_rules! marker {
    ($codec:ident) => {
        impl<T> Clone for $codec<T> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<T> Copy for $codec<T> {}

        impl<T> std::fmt::Debug for $codec<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($codec))
            }
        }

        impl<T> Default for $codec<T> {
            fn default() -> Self {
                Self { data: PhantomData }
            }
        }
    };
}
