//! Connections shared wherever they can be.

use cloverleaf::{Client, Pool};
use cloverleaf_mux::Mux;
use futures_util::future::join_all;

use super::{Served, echoes, with};
use crate::ends::quiet;

#[tokio::test]
async fn all_that_go_to_one_place_share_a_connection_also_if_they_come_at_once() {
    let server = Served::start(|server| server).await;
    let pool = Pool::new(Client::new(with(Mux::new())));
    let url = server.url("/");
    let opened = join_all((0..12).map(|_| pool.connect(&url))).await;
    let mut sockets: Vec<_> = opened.into_iter().map(Result::unwrap).collect();
    for socket in &mut sockets {
        echoes(socket, "shared").await;
    }
    assert_eq!(server.counts(), (12, 1));
}

#[tokio::test]
async fn when_slots_run_out_another_connection_is_opened() {
    let server = Served::start(|server| server.config(with(Mux::new().channels(3)))).await;
    let pool = Pool::new(Client::new(with(Mux::new())));
    let mut sockets = vec![];
    for _ in 0..9 {
        sockets.push(pool.clone().connect(&server.url("/")).await.unwrap());
    }
    for socket in &mut sockets {
        echoes(socket, "many").await;
    }
    // One with its handshake, three by slots.
    assert_eq!(server.counts(), (9, 3));
}

#[tokio::test]
async fn a_server_that_gives_no_slot_at_all_gets_a_connection_for_each() {
    let server = Served::start(|server| server.config(with(Mux::new().channels(0)))).await;
    let pool = Pool::new(Client::new(with(Mux::new())));
    let mut one = pool.connect(&server.url("/")).await.unwrap();
    let mut other = pool.connect(&server.url("/")).await.unwrap();
    echoes(&mut one, "one").await;
    echoes(&mut other, "other").await;
    assert_eq!(server.counts(), (2, 2));
}

#[tokio::test]
async fn a_server_that_does_not_speak_it_gets_a_connection_for_each() {
    let server = Served::start(|server| server.config(quiet())).await;
    let pool = Pool::new(Client::new(with(Mux::new())));
    let url = server.url("/");
    let mut sockets = vec![pool.connect(&url).await.unwrap()];
    let opened = join_all((0..5).map(|_| pool.connect(&url))).await;
    sockets.extend(opened.into_iter().map(Result::unwrap));
    for socket in &mut sockets {
        echoes(socket, "separate").await;
    }
    assert_eq!(server.counts(), (6, 6));
}

#[tokio::test]
async fn another_place_is_another_connection_and_a_lost_one_is_replaced() {
    let (one, other) = (
        Served::start(|server| server).await,
        Served::start(|server| server).await,
    );
    let pool = Pool::new(Client::new(with(Mux::new())));
    let mut first = pool.connect(&one.url("/")).await.unwrap();
    let mut second = pool.connect(&other.url("/")).await.unwrap();
    echoes(&mut first, "one").await;
    echoes(&mut second, "other").await;
    assert_eq!((one.counts(), other.counts()), ((1, 1), (1, 1)));

    let address = one.address;
    let ending = tokio::spawn(async move { first.recv().await.map(|end| (end, first)) });
    one.stop().await;
    let (end, _first) = ending.await.unwrap().unwrap();
    assert_eq!(end, None);
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let again = cloverleaf::Server::on(listener).config(with(Mux::new()));
    let serving = tokio::spawn(again.serve(super::echo));
    let mut third = pool.connect(&format!("ws://{address}/")).await.unwrap();
    echoes(&mut third, "again").await;
    serving.abort();
}
