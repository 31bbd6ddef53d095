//! The two trunks of one connection, behind its opening handshake.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use cloverleaf_deflate::PermessageDeflate;
use cloverleaf_mux::Mux;
use cloverleaf_proto::extension::Extensions;
use cloverleaf_proto::frame::MaskSource;
use cloverleaf_proto::handshake::{
    ClientHandshake, ClientRequest, Decision, Opened, ServerHandshake, ServerOptions,
};
use cloverleaf_proto::{Config, Role, Trunk};

pub(crate) const CLIENT: usize = 0;
pub(crate) const SERVER: usize = 1;

#[derive(Debug)]
struct Mask;

impl MaskSource for Mask {
    fn mask_key(&self) -> [u8; 4] {
        [0x37, 0xFA, 0x21, 0x3D]
    }
}

/// A moment, in milliseconds behind the start of all tests.
pub(crate) fn at(milliseconds: u64) -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    let start = *START.get_or_init(Instant::now);
    start + Duration::from_millis(milliseconds)
}

pub(crate) fn config(mux: Mux) -> Config {
    config_with(Extensions::new(), mux)
}

/// With permessage-deflate in front of the channels' frames.
pub(crate) fn deflating(mux: Mux) -> Config {
    let deflate = PermessageDeflate::new().threshold(0).memory_level(1);
    let deflate = deflate.server_max_window_bits(9).client_max_window_bits(9);
    config_with(Extensions::new().with(deflate).expect("the first"), mux)
}

fn config_with(extensions: Extensions, mux: Mux) -> Config {
    let mut config = Config::new(Arc::new(Mask));
    config.extensions = extensions.with(mux).expect("it fits behind");
    config
}

pub(crate) fn request(target: &str) -> ClientRequest {
    ClientRequest::new(&format!("ws://example.com/{target}")).expect("it is one")
}

/// The trunks of a client and of a server that are configured so, and the quota that the client
/// offered for channel 1.
pub(crate) fn trunks(configs: [Config; 2]) -> ([Trunk; 2], u64) {
    let [of_client, of_server] = configs;
    let now = at(0);
    let options = Arc::new(ServerOptions::default());
    let shared = Arc::new(of_server.clone());
    let mut server = ServerHandshake::new(Arc::clone(&options), shared, now);
    let shared = Arc::new(of_client.clone());
    let client = ClientHandshake::new(request("0"), [7; 16], shared, now);
    let mut client = client.expect("a request");
    let head = client.poll_transmit();
    let quota = offered_quota(head);
    server.handle_input(head);
    server.respond(Decision::accept()).expect("it is asked");
    client.handle_input(now, server.poll_transmit());
    let written = server.poll_transmit().len();
    server.handle_written(written);
    let trunk = |role, config: &Config, opened: Opened| {
        let mut extensions = opened.extensions;
        let carrier = extensions.take_carrier().expect("it was agreed");
        let options = Arc::clone(&options);
        let handshake = opened.handshake;
        Trunk::new(role, config, options, &handshake, extensions, carrier, now)
    };
    let client = client.finish().expect("it is open");
    let server = server.finish().expect("it is open");
    let client = trunk(Role::Client, &of_client, client);
    ([client, trunk(Role::Server, &of_server, server)], quota)
}

fn offered_quota(head: &[u8]) -> u64 {
    let head = String::from_utf8_lossy(head);
    let (_, quota) = head.split_once("quota=").expect("it offers one");
    let digits: String = quota.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().expect("a number")
}
