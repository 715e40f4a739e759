import type { Debugger } from "./debugger.ts";
import type { Inspection } from "./inspection.ts";
import type { Sources } from "./sources.ts";

/** What requests need of their session. All throw a UserError where no machine is being debugged. */
export interface RequestContext {
	readonly debugger: Debugger;
	readonly inspection: Inspection;
	readonly sources: Sources;
	/** The debugger of a machine that stands; throws where it runs. */
	standing(): Debugger;
	/** Throws where the machine cannot be changed now. */
	mayChange(): void;
	/** Tells the client that values are others now. */
	changed(): void;
	event(event: string, body?: object): void;
}
