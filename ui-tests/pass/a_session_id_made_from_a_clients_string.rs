use cloakroom::{IdLength, SessionId};

fn main() {
    let id = SessionId::generate(IdLength::default()).expect("an id");
    assert_eq!(id.as_str().len(), 43);
}
