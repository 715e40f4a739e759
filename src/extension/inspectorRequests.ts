import type { FromInspector, InspectorAnswer, MachineAction } from "../protocol/inspector.ts";
import type { EngineClient } from "./engineClient.ts";

type Question = Extract<FromInspector, { readonly id: number }>;
type Asked =
	| Exclude<Question, { readonly type: "control" }>
	| { readonly type: "control"; readonly action: EngineAction };
/** What the engine does itself; the others are the host's. */
type EngineAction = Exclude<MachineAction, "boot">;

/** What the engine answers to a question of the inspector's page. Without VS Code, for other hosts of the page. */
export async function askEngine(engine: Pick<EngineClient, "request">, question: Asked): Promise<InspectorAnswer> {
	switch (question.type) {
		case "walk":
			return engine.request("walk", { pid: question.pid, address: question.address });
		case "writer": {
			const { address, after, before } = question;
			return engine.request("writer", { address, after, before });
		}
		case "activity":
			return engine.request("activity", { from: question.from, to: question.to });
		case "network":
			return engine.request("network", undefined);
		case "control":
			await engine.request(question.action, undefined);
			return undefined;
	}
}
