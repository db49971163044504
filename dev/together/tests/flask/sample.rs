//! A session with a value of every kind: `SAMPLE` in `values.py`.

use std::collections::BTreeMap;

use axum::Router;
use axum::routing::{get, post};
use cloakroom::{Codec, Config, Flask, Json, MessagePack, Session, Unsigned, Writable, flask};
use serde::{Deserialize, Serialize};
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

use crate::application::listen;
use crate::browser::Address;
use crate::site::{Place, Site};

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Sample {
    small: i8,
    smallest: i64,
    largest: u64,
    float: f64,
    whole_float: f64,
    yes: bool,
    nothing: Option<u8>,
    text: String,
    #[serde(with = "flask::bytes")]
    bytes: Vec<u8>,
    list: Vec<u16>,
    pair: (String, u8),
    map: BTreeMap<String, Vec<Option<Deep>>>,
    #[serde(with = "flask::timestamp::option")]
    in_seconds: Option<OffsetDateTime>,
    #[serde(with = "flask::timestamp::option")]
    in_microseconds: Option<OffsetDateTime>,
    #[serde(with = "flask::timestamp::option")]
    late: Option<OffsetDateTime>,
    #[serde(with = "flask::timestamp::option")]
    early: Option<OffsetDateTime>,
    #[serde(with = "flask::datetime::option")]
    naive: Option<PrimitiveDateTime>,
    #[serde(with = "flask::date::option")]
    date: Option<Date>,
    #[serde(with = "flask::time::option")]
    time: Option<Time>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Deep {
    deep: Vec<Vec<BTreeMap<String, u8>>>,
}

impl Sample {
    fn new() -> Self {
        let naive = moment(2024, 678_901);
        let east = UtcOffset::from_hms(5, 30, 0).expect("an offset");
        Self {
            small: -7,
            smallest: i64::MIN,
            largest: u64::MAX,
            float: 0.1,
            whole_float: 2.0,
            yes: true,
            nothing: None,
            text: "Zoë, ключ, 漢字, 🧥, nul \0 and \x7f".to_owned(),
            bytes: vec![0x00, 0xff, 0x80],
            list: vec![1, 2, 300],
            pair: ("two".to_owned(), 2),
            map: BTreeMap::from([
                ("a".to_owned(), Vec::new()),
                ("é".to_owned(), vec![Some(Deep { deep: vec![vec![BTreeMap::new()]] }), None]),
            ]),
            in_seconds: Some(moment(2024, 0).assume_utc().to_offset(east)),
            in_microseconds: Some(naive.assume_utc()),
            late: Some(moment(2600, 678_901).assume_utc()),
            early: Some(moment(1960, 1).assume_utc()),
            naive: Some(naive),
            date: Date::from_calendar_date(2024, Month::February, 29).ok(),
            time: Time::from_hms_micro(3, 4, 5, 6).ok(),
        }
    }
}

/// The second of January, five seconds past 03:04.
fn moment(year: i32, microseconds: u32) -> PrimitiveDateTime {
    let date = Date::from_calendar_date(year, Month::January, 2).expect("a date");
    let time = Time::from_hms_micro(3, 4, 5, microseconds).expect("a time");
    PrimitiveDateTime::new(date, time)
}

type SampleConfig<P, C> = Config<<P as Place>::Store, Flask<C>, Unsigned>;

pub(crate) fn config<P: Place>(site: &Site<P>) -> SampleConfig<P, MessagePack<Sample>> {
    Config::flask_session().store(site.store()).data::<Sample>()
}

pub(crate) fn json_config<P: Place>(site: &Site<P>) -> SampleConfig<P, Json<Sample>> {
    Config::flask_session().store(site.store()).codec(Json::new())
}

/// Serves until the test ends.
pub(crate) async fn serve<S, C>(config: Config<S, C, Unsigned>) -> Address
where
    S: Writable,
    C: Codec<Data = Sample>,
{
    let routes = Router::new()
        .route("/set-sample", post(set_sample::<S, C>))
        .route("/check", get(check::<S, C>));
    listen(routes.layer(config.build().layer())).await
}

async fn set_sample<S: Writable, C: Codec<Data = Sample>>(mut session: Session<S, C, Unsigned>) {
    *session = Sample::new();
}

async fn check<S: Writable, C: Codec<Data = Sample>>(session: Session<S, C, Unsigned>) -> String {
    if *session == Sample::new() { "equal".to_owned() } else { format!("{:#?}", *session) }
}
