import { closeSync, openSync, writeSync } from "node:fs";
import type { Disposable } from "../common/disposable.ts";
import { UserError } from "../common/errors.ts";
import { pcapHeader, pcapRecord } from "../machine/network/pcap.ts";
import type { NetworkPort } from "../machine/network/types.ts";

/** Every packet of a machine into a file, as it goes. Throws UserError `file-unwritable`. */
export function writePcap(network: NetworkPort, path: string): Disposable {
	let file: number;
	try {
		file = openSync(path, "w");
	} catch (error) {
		throw new UserError("file-unwritable", `Cannot write ${path}: ${(error as Error).message}`, "Choose another file.");
	}
	writeSync(file, pcapHeader());
	const listener = network.onPacket((packet) => void writeSync(file, pcapRecord(packet)));
	return {
		dispose: () => {
			listener.dispose();
			closeSync(file);
		},
	};
}
