// Node's websocket, as an echo server (`server`) or an echo client (`client URL AGENT`).
//
// It has no permessage-deflate.

import { once } from 'node:events';
import { createServer } from 'node:http';
import websocket from 'websocket';

const options = {
  maxReceivedFrameSize: 64 * 1024 * 1024,
  maxReceivedMessageSize: 64 * 1024 * 1024,
};

function echo(connection) {
  connection.on('message', (message) => {
    if (message.type === 'utf8') connection.sendUTF(message.utf8Data);
    else connection.sendBytes(message.binaryData);
  });
  connection.on('error', (error) => console.error(error.message));
}

async function server() {
  const httpServer = createServer((request, response) => response.writeHead(404).end());
  const listening = new websocket.server({ httpServer, keepalive: false, ...options });
  listening.on('request', (request) => echo(request.accept(null, request.origin)));
  httpServer.listen(0, '127.0.0.1');
  await once(httpServer, 'listening');
  console.log(`listening on ws://127.0.0.1:${httpServer.address().port}`);
  process.stdin.on('end', () => process.exit()).resume();
}

async function client(url, agent) {
  // Resolves when the connection has ended, or could not be made.
  const run = (path, connected) =>
    new Promise((resolve) => {
      const connecting = new websocket.client({ ...options });
      connecting.on('connectFailed', (error) => {
        console.error(`${path}: ${error.message}`);
        resolve();
      });
      connecting.on('connect', (connection) => {
        connected(connection);
        connection.on('close', resolve);
      });
      connecting.connect(`${url.replace(/\/+$/, '')}/${path}`);
    });
  const name = encodeURIComponent(agent);

  let count = 0;
  await run('getCaseCount', (connection) => {
    connection.on('message', (message) => (count = Number(message.utf8Data)));
  });
  for (let number = 1; number <= count; number++) {
    await run(`runCase?case=${number}&agent=${name}`, echo);
  }
  await run(`updateReports?agent=${name}`, () => {});
}

const [role, ...parameters] = process.argv.slice(2);
await { server, client }[role](...parameters);
