// Node's faye-websocket, as an echo server (`server`) or an echo client (`client URL AGENT`).

import { once } from 'node:events';
import { createServer } from 'node:http';
import WebSocket from 'faye-websocket';
import deflate from 'permessage-deflate';

const options = { maxLength: 64 * 1024 * 1024, extensions: [deflate] };

function echo(socket) {
  socket.on('message', (event) => socket.send(event.data));
  socket.on('error', (event) => console.error(event.message));
}

async function server() {
  const listening = createServer((request, response) => response.writeHead(404).end());
  listening.on('upgrade', (request, stream, body) => {
    if (WebSocket.isWebSocket(request)) echo(new WebSocket(request, stream, body, [], options));
    else stream.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
  });
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  console.log(`listening on ws://127.0.0.1:${listening.address().port}`);
  process.stdin.on('end', () => process.exit()).resume();
}

async function client(url, agent) {
  const connect = (path) =>
    new WebSocket.Client(`${url.replace(/\/+$/, '')}/${path}`, [], options);
  const closed = (socket) => new Promise((resolve) => socket.on('close', resolve));
  const name = encodeURIComponent(agent);

  const asking = connect('getCaseCount');
  let count = 0;
  asking.on('message', (event) => (count = Number(event.data)));
  await closed(asking);
  for (let number = 1; number <= count; number++) {
    const socket = connect(`runCase?case=${number}&agent=${name}`);
    echo(socket);
    await closed(socket);
  }
  await closed(connect(`updateReports?agent=${name}`));
}

const [role, ...parameters] = process.argv.slice(2);
await { server, client }[role](...parameters);
