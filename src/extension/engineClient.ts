import type { Disposable } from "../common/disposable.ts";
import type { Event } from "../common/event.ts";
import type { EngineEvents, EngineRequests } from "../protocol/engine.ts";

/** The engine worker as the extension sees it. Requests that are open when it ends fail with `worker-crashed`. */
export interface EngineClient extends Disposable {
	request<K extends keyof EngineRequests>(
		kind: K,
		params: EngineRequests[K]["params"],
	): Promise<EngineRequests[K]["result"]>;
	on<K extends keyof EngineEvents>(kind: K, listener: (event: EngineEvents[K]) => void): Disposable;
	/** The worker ended without being asked to. */
	readonly onCrash: Event<string>;
}

/** What differs between the desktop's and the browser's extension host. */
export interface Platform {
	/** Whether compilers of this machine can be started at all. */
	readonly hasProcesses: boolean;
	startEngine(): EngineClient;
}
