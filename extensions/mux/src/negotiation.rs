//! How `mux` is agreed (section 2 of the format).

use cloverleaf_proto::extension::{Agreement, Claims, Declined, Extension, Params, Stage};

use crate::Mux;
use crate::carrier::Multiplexing;

/// The only parameter: what the server may send on channel 1 before it is granted more.
const QUOTA: &str = "quota";

impl Extension for Mux {
    fn name(&self) -> &str {
        &self.token
    }

    fn claims(&self) -> Claims {
        const { Claims::at(Stage::Carrier) }
    }

    fn offers(&self) -> Vec<Params> {
        vec![Params::new().value(QUOTA, self.initial_quota())]
    }

    fn accept(&self, offer: &Params) -> Result<Agreement, Declined> {
        let mut reader = offer.reader()?;
        let quota = reader.number(QUOTA, 0..=u32::MAX)?.unwrap_or(0);
        reader.end()?;
        Ok(Agreement::new(Params::new()).carrier(Multiplexing::server(self, quota)))
    }

    fn confirm(&self, _offered: &[Params], answer: &Params) -> Result<Agreement, Declined> {
        if !answer.is_empty() && !self.lenient {
            return Err(Declined::new("the answer to mux has no parameters"));
        }
        Ok(Agreement::new(Params::new()).carrier(Multiplexing::client(self)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offer_says_what_the_server_may_send_on_channel_1() {
        let offers = Mux::new().offers();
        assert_eq!(offers, [Params::new().value("quota", 8065)]);
        let small = Mux::new().channels(0).window(20_000).offers();
        assert_eq!(small, [Params::new().value("quota", 20_000)]);
    }

    #[test]
    fn a_quota_is_plain_decimal_below_two_to_the_32() {
        let mux = Mux::new();
        for (value, good) in [
            ("0", true),
            ("16", true),
            ("8192", true),
            ("4294967295", true),
            ("4294967296", false),
            ("-1", false),
            ("+1", false),
            ("016", false),
            ("abc", false),
            ("", false),
            ("1 ", false),
            ("0x10", false),
        ] {
            let offer = Params::new().value("quota", value);
            assert_eq!(mux.accept(&offer).is_ok(), good, "{value:?}");
        }
        assert!(mux.accept(&Params::new()).is_ok());
        for bad in [
            Params::new().flag("quota"),
            Params::new().value("quota", 1).value("quota", 1),
            Params::new().value("quota", 1).flag("other"),
        ] {
            assert!(mux.accept(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_answer_has_no_parameters_and_one_that_has_is_refused_unless_one_is_lenient() {
        let mux = Mux::new();
        let offered = mux.offers();
        let agreement = mux.accept(&offered[0]).expect("our own offer");
        assert!(agreement.params().is_empty());
        assert!(mux.confirm(&offered, &Params::new()).is_ok());
        let answer = Params::new().value("quota", 8192);
        assert!(mux.confirm(&offered, &answer).is_err());
        assert!(mux.lenient(true).confirm(&offered, &answer).is_ok());
    }

    #[test]
    fn the_token_may_be_that_of_the_peer_there_is() {
        assert_eq!(Mux::new().name(), "mux");
        let token = Mux::TOKEN_OF_PYWEBSOCKET;
        assert_eq!(Mux::new().token(token).name(), "mux_DO_NOT_USE");
    }
}
