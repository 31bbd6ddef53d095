// Node's ws, as an echo server (`server`) or an echo client (`client URL AGENT`).

import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';

const options = {
  maxPayload: 64 * 1024 * 1024,
  // Compress messages of every size, not only those that gain by it.
  perMessageDeflate: { threshold: 0 },
};

function echo(socket) {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  socket.on('error', (error) => console.error(error.message));
}

async function server() {
  const listening = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options });
  listening.on('connection', echo);
  await once(listening, 'listening');
  console.log(`listening on ws://127.0.0.1:${listening.address().port}`);
  process.stdin.on('end', () => process.exit()).resume();
}

async function client(url, agent) {
  const connect = (path) => new WebSocket(`${url.replace(/\/+$/, '')}/${path}`, options);
  const name = encodeURIComponent(agent);

  const asking = connect('getCaseCount');
  const [count] = await once(asking, 'message');
  await once(asking, 'close');
  for (let number = 1; number <= Number(count); number++) {
    // 'close' follows every 'error', so that each case ends here.
    await new Promise((resolve) => {
      const socket = connect(`runCase?case=${number}&agent=${name}`);
      echo(socket);
      socket.on('close', resolve);
    });
  }
  await once(connect(`updateReports?agent=${name}`), 'close');
}

const [role, ...parameters] = process.argv.slice(2);
await { server, client }[role](...parameters);
