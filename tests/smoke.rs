#![allow(missing_docs)]
use cloakroom::*;
use http::HeaderMap;
#[derive(Default, serde::Serialize, serde::Deserialize, Debug)]
struct D {
    n: u32,
    name: String,
}
fn back(h: &HeaderMap) -> HeaderMap {
    let c = h["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_string();
    let mut o = HeaderMap::new();
    o.insert("cookie", c.parse().unwrap());
    o
}
#[tokio::test]
async fn smoke() {
    let s = Config::new()
        .store(Memory::new())
        .data::<D>()
        .signed()
        .secret_key(SecretKey::generate().unwrap())
        .build();
    let mut a = s.open(&HeaderMap::new()).await.unwrap();
    a.n = 5;
    a.name = "x".into();
    let mut h = HeaderMap::new();
    a.close(&mut h).await.unwrap();
    println!("{h:?}");
    let h = back(&h);
    let mut b = s.open(&h).await.unwrap();
    assert_eq!(b.n, 5);
    let mut c = s.open(&h).await.unwrap();
    b.n = 6;
    c.name = "y".into();
    let mut hb = HeaderMap::new();
    b.close(&mut hb).await.unwrap();
    println!("{hb:?}");
    c.close(&mut HeaderMap::new()).await.unwrap();
    let mut d = s.open(&h).await.unwrap();
    assert_eq!((d.n, &*d.name), (6, "y"));
    d.update(|d| d.n += 1).await.unwrap();
    d.rotate();
    let mut hd = HeaderMap::new();
    d.close(&mut hd).await.unwrap();
    println!("{hd:?}");
    let e = s.open(&h).await.unwrap();
    assert!(e.is_new());
    let mut e = s.open(&h).await.unwrap();
    e.destroy();
    let mut he = HeaderMap::new();
    e.close(&mut he).await.unwrap();
    println!("{he:?}");
    let f = s.open(&back(&hd)).await.unwrap();
    assert!(f.is_new());
    assert_eq!(s.store().len(), 1);
}
