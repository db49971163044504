//! pavex_session, over pavex, in a program of its own: pavex and axum need
//! versions of one crate (matchit) that cannot be linked together.
//!
//! The program answers lines; see `pavex/src/main.rs`.

use std::cell::RefCell;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use super::{PAVEX_BARE, PAVEX_SESSION};
use crate::app::{Answer, App};
use crate::case::Case;
use crate::children::Talker;

/// pavex without a session, and with one in memory.
pub fn in_memory(program: &Path) -> [Box<dyn App>; 2] {
    let mut command = Command::new(program);
    let program = Rc::new(RefCell::new(Talker::start(command.arg("answer"))));
    [PAVEX_BARE, PAVEX_SESSION]
        .map(|name| -> Box<dyn App> { Box::new(PavexApp { name, program: program.clone() }) })
}

struct PavexApp {
    name: &'static str,
    program: Rc<RefCell<Talker>>,
}

impl PavexApp {
    fn say(&self, question: &str) -> String {
        let which = if self.name == PAVEX_BARE { "bare" } else { "session" };
        self.program.borrow_mut().ask(&format!("{which} {question}"))
    }
}

impl App for PavexApp {
    fn name(&self) -> &'static str {
        self.name
    }

    fn baseline(&self) -> &'static str {
        PAVEX_BARE
    }

    fn ask(&mut self, path: &str, cookie: Option<&str>) -> Answer {
        let answer = self.say(&format!("ask {path} {}", cookie.unwrap_or("-")));
        let mut parts = answer.splitn(3, '\t');
        let mut part = || parts.next().expect("three parts");
        let status = part().parse().expect("a status");
        let cookie = Some(part()).filter(|cookie| *cookie != "-").map(str::to_owned);
        Answer { status, cookie, body: part().to_owned() }
    }

    fn use_cookies(&mut self, cookies: Vec<String>) {
        for cookie in cookies {
            self.say(&format!("cookie {cookie}"));
        }
    }

    fn run(&mut self, case: Case, requests: u32) -> Duration {
        let nanos = self.say(&format!("run {} {requests}", case as u8));
        Duration::from_nanos(nanos.parse().expect("a number"))
    }

    fn allocations(&mut self, case: Case) -> u64 {
        self.say(&format!("count {}", case as u8)).parse().expect("a number")
    }
}
