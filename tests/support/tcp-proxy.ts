/** A wire between a program and a server that a test can stop or cut. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

export interface Proxy extends AsyncDisposable {
  readonly port: number;
  /** Nothing gets through any more in either direction, and nobody is told. */
  freeze(): void;
  thaw(): void;
  /** Lets the next message that holds this text through, and cuts the connection before its answer. */
  cutAfter(text: string): void;
}

export async function openProxy(target: { host: string; port: number }): Promise<Proxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let fatal: string | undefined;
  let isFrozen = false;
  const server = createServer((near) => {
    const far = connect(target.port, target.host);
    const pair = [near, far] as const;
    pairs.add(pair);
    let isDoomed = false;
    near.on("data", (data) => {
      if (fatal !== undefined && data.includes(fatal)) {
        isDoomed = true;
        fatal = undefined;
      }
      far.write(data);
    });
    far.on("data", (data) => {
      if (isDoomed) near.destroy();
      else near.write(data);
    });
    if (isFrozen) for (const socket of pair) socket.pause(); // after the listeners, which make it flow
    for (const [one, other] of [pair, [far, near] as const]) {
      one.on("error", () => {});
      one.on("close", () => {
        other.destroy();
        pairs.delete(pair);
      });
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const each = (act: (socket: Socket) => void) => {
    for (const socket of [...pairs].flat()) act(socket);
  };
  return {
    port: address.port,
    freeze: () => {
      isFrozen = true;
      each((socket) => socket.pause());
    },
    thaw: () => {
      isFrozen = false;
      each((socket) => socket.resume());
    },
    cutAfter: (text) => {
      fatal = text;
    },
    async [Symbol.asyncDispose]() {
      each((socket) => socket.destroy());
      server.close();
      await once(server, "close");
    },
  };
}
