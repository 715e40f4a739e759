import { createServer, type Socket } from "node:net";
import type { Disposable } from "../common/disposable.ts";
import { UserError } from "../common/errors.ts";

/** A port of the loopback address that gdb connects to, open before there is a machine to talk to. */
export interface GdbListener extends Disposable {
	readonly port: number;
	/** One gdb at a time; who came before this call is given at once. What it has sent waits for the handler to resume the socket. */
	onConnection(handler: (socket: Socket) => void): void;
}

/** Port 0: any free one. Throws UserError `usage` where it is taken. */
export async function listenForGdb(port: number): Promise<GdbListener> {
	let busy: Socket | undefined;
	let handle: ((socket: Socket) => void) | undefined;
	const server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
		if (busy) {
			socket.destroy();
			return;
		}
		busy = socket;
		socket.on("error", () => socket.destroy());
		socket.on("close", () => {
			busy = undefined;
		});
		handle?.(socket);
	});
	await new Promise<void>((resolve, reject) => {
		server.once("error", (error: NodeJS.ErrnoException) => {
			const what =
				error.code === "EADDRINUSE" ? `Port ${port} is in use` : `Cannot listen on port ${port}: ${error.message}`;
			reject(new UserError("usage", what, "Choose another port for gdb."));
		});
		server.listen(port, "127.0.0.1", resolve);
	});
	const address = server.address();
	return {
		port: typeof address === "object" && address ? address.port : port,
		onConnection: (handler) => {
			handle = handler;
			if (busy) handler(busy);
		},
		dispose: () => {
			busy?.destroy();
			server.close();
		},
	};
}
