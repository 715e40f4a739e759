import type { Disposable } from "../common/disposable.ts";
import { GrowingFile } from "../env/node/growingFile.ts";
import { pcapHeader, pcapRecord } from "../machine/network/pcap.ts";
import type { NetworkPort } from "../machine/network/types.ts";

/** Every packet of a machine into a file, as it goes. Throws UserError `file-unwritable`. */
export function writePcap(network: NetworkPort, path: string): Disposable {
	const file = new GrowingFile(path, "choose another file");
	file.write(pcapHeader());
	const listener = network.onPacket((packet) => file.write(pcapRecord(packet)));
	return {
		dispose: () => {
			listener.dispose();
			file.close();
		},
	};
}
