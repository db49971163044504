use cloakroom::SessionId;

fn main() {
    let from_a_client = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let _id = SessionId::from(from_a_client);
}
