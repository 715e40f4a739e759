import type { ProgramSymbols } from "../debuginfo/symbolizer.ts";
import type { NetworkPort } from "../machine/network/types.ts";
import { addr2line } from "./addr2line.ts";

/** What a program of the host did, as subprocess.py reads it. */
type ProgramAnswer =
	| { readonly code: number; readonly out: string }
	/** It runs beside the machine; `wait` and `stop` bring the rest. */
	| { readonly running: true }
	/** There is no such program: Python's OSError. */
	| { readonly missing: string }
	| { readonly notGraded: string };

/** The peer of a network lab, as `make server` and `python3 ./nettest.py grade` are. */
interface GradeServer {
	/** What it has printed once it ended. */
	end(): string;
}

/** Starts the peer that a command line means; a reason instead where there is none. */
type ServerStarter = (argv: readonly string[]) => GradeServer | { readonly notGraded: string };

/** The peer is inside of the machine, and answers by itself; what it says on its output is what its program would have printed. */
export function networkPeers(network: NetworkPort | undefined): ServerStarter {
	return () => {
		if (!network) {
			return {
				notGraded: "not graded: this test needs the network, and this kernel has no driver for the network card",
			};
		}
		let said = "";
		const listener = network.onPeerOutput((line) => {
			said += `${line}\n`;
		});
		return {
			end: () => {
				listener.dispose();
				return said;
			},
		};
	};
}

/** Programs of the host that scripts start. We run none: those that we can answer for ourselves are here, the rest is not graded. */
export class HostPrograms {
	private readonly running = new Map<string, GradeServer>();

	constructor(
		private readonly symbols: ProgramSymbols,
		private readonly server: ServerStarter,
	) {}

	call(how: string, argv: readonly string[]): ProgramAnswer {
		const [name = "", ...args] = argv;
		const key = argv.join(" ");
		if (how !== "start") {
			const server = this.running.get(key);
			this.running.delete(key);
			return { code: 0, out: server?.end() ?? "" };
		}
		// Scripts try one name after the other; the first one is ours.
		if (/(?:^|-)addr2line$/.test(name)) {
			return args.length === 0 ? { code: 0, out: "" } : { code: 0, out: addr2line(this.symbols, args) };
		}
		if (isServer(name, args)) {
			const server = this.server(argv);
			if ("notGraded" in server) return server;
			this.running.set(key, server);
			return { running: true };
		}
		if (name === "make" && args.every((arg) => arg === "fs.img" || arg === "kernel/kernel" || arg === "clean"))
			return { code: 0, out: "" };
		if (name === "make" || name.startsWith("./"))
			return {
				notGraded: `not graded: \`${key}\` needs a compiler of this computer, and xv6 Lab runs no program on it`,
			};
		return { missing: `No such file or directory: '${name}'` };
	}
}

function isServer(name: string, args: readonly string[]): boolean {
	if (name === "make") return args[0] === "server";
	return /^python/.test(name) && args.some((arg) => /(?:^|\/)(?:nettest|server)\.py$/.test(arg));
}
