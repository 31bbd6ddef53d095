// Many WebSocket channels over one WebSocket, for browsers. The README beside this file says what is
// spoken on the wire.

export { Channel, ChannelErrorEvent } from "./channel.js";
export { Multiplexer, MultiplexerErrorEvent } from "./multiplexer.js";
