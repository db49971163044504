//! One cookie at a Flask application with Flask-Session and at a Rust
//! application, on every store that both know.
//!
//! The Flask application is `app.py`, in a process of its own. Each promise is a
//! function of a file here, and a test for each store.

mod application;
mod browser;
mod cookies;
mod endings;
mod flashes;
mod foreign;
mod lengths;
mod migration;
mod places;
mod races;
mod sample;
mod sign_in;
mod site;
mod values;

/// A test for every promise.
macro_rules! keeps_the_promises {
    ($place:ty) => {
        tests! { $place:
            cookies:
                a_page_that_depends_on_the_session_says_so
                a_permanent_session_is_permanent_on_both_sides
                a_session_is_kept_for_its_lifetime_even_when_it_is_not_permanent
                the_cookies_of_both_sides_are_alike
                the_cookies_of_both_sides_have_the_attributes_that_were_chosen;
            endings:
                a_session_expires_on_both_sides_after_a_write_of_either
                a_session_that_is_emptied_disappears
                a_session_with_keys_of_flask_is_not_empty
                a_visit_to_either_side_postpones_the_end
                an_id_that_flask_regenerated_is_the_session_here
                an_id_that_was_rotated_here_is_the_session_in_flask
                an_id_that_was_rotated_does_not_lead_to_the_new_one
                signing_out_here_signs_out_of_flask
                signing_out_in_flask_signs_out_here;
            flashes:
                a_message_flashed_by_flask_is_shown_here_once
                a_message_flashed_here_is_shown_by_flask_once;
            foreign:
                a_pickle_is_never_executed
                a_record_of_another_kind_is_left_alone
                an_empty_record_is_an_empty_session;
            races:
                a_change_here_brings_no_session_back_that_flask_signed_out
                a_change_here_keeps_what_flask_wrote_meanwhile
                changes_here_keep_each_other
                flask_overwrites_what_was_written_while_it_was_at_work;
            sign_in:
                a_forged_signature_is_a_new_session_on_both_sides
                a_person_signed_in_by_flask_is_signed_in_here
                a_person_signed_in_here_is_signed_in_by_flask
                a_prefix_of_ones_own_is_shared
                replacing_a_secret_ends_no_session
                a_signature_with_padding_is_accepted_by_both
                an_id_of_an_old_installation_is_kept
                an_id_that_no_server_made_is_not_adopted
                one_cookie_walks_back_and_forth;
            values:
                every_kind_of_value_that_flask_writes_survives_a_change_here
                values_written_by_python_are_equal_values_here
                values_written_here_are_equal_objects_in_python
        }
    };
}

/// Each in a module named after its file.
macro_rules! tests {
    ($place:ty: $($file:ident: $($promise:ident)+);+) => {
        $(mod $file {
            $(#[tokio::test]
            async fn $promise() {
                use super::places;
                crate::$file::$promise::<$place>().await;
            })+
        })+
    };
}

mod memcached {
    use crate::places;

    keeps_the_promises!(places::InMemcached);
    tests!(places::InMemcached: lengths: values_of_any_length_survive_a_change_here);
}

mod mongodb {
    use crate::places;

    keeps_the_promises!(places::InMongoDb);
    tests!(places::InMongoDb: lengths: values_of_any_length_survive_a_change_here);
}

mod mongodb_made_by_flask {
    use crate::places;

    keeps_the_promises!(places::InMongoDbOfFlask);
    tests!(places::InMongoDbOfFlask: lengths: values_of_any_length_survive_a_change_here);
    tests!(places::InMongoDbOfFlask: migration: what_flask_made_is_migrated_with_its_sessions);
}

mod mysql {
    use crate::places;

    keeps_the_promises!(places::InMySql);
    tests!(places::InMySql: lengths: values_of_any_length_survive_a_change_here);
}

mod mysql_made_by_flask {
    use crate::places;

    keeps_the_promises!(places::InMySqlOfFlask);
    tests! { places::InMySqlOfFlask:
        migration:
            a_session_too_long_for_flasks_table_stays_as_it_was
            what_flask_made_is_migrated_with_its_sessions
    }
}

mod postgres {
    use crate::places;

    keeps_the_promises!(places::InPostgres);
    tests!(places::InPostgres: lengths: values_of_any_length_survive_a_change_here);
}

mod postgres_made_by_flask {
    use crate::places;

    keeps_the_promises!(places::InPostgresOfFlask);
    tests!(places::InPostgresOfFlask: lengths: values_of_any_length_survive_a_change_here);
    tests!(places::InPostgresOfFlask: migration: what_flask_made_is_migrated_with_its_sessions);
}

mod redis {
    use crate::places;

    keeps_the_promises!(places::InRedis);
    tests!(places::InRedis: lengths: values_of_any_length_survive_a_change_here);
}

mod sqlite {
    use crate::places;

    keeps_the_promises!(places::InSqlite);
    tests!(places::InSqlite: lengths: values_of_any_length_survive_a_change_here);
}

mod sqlite_made_by_flask {
    use crate::places;

    keeps_the_promises!(places::InSqliteOfFlask);
    tests!(places::InSqliteOfFlask: lengths: values_of_any_length_survive_a_change_here);
    tests!(places::InSqliteOfFlask: migration: what_flask_made_is_migrated_with_its_sessions);
}
