import type { Instructions } from "../machine/types.ts";
import { type ActivityMark, type ActivityModel, mostActivity } from "../protocol/activity.ts";
import type { RunnableMachine } from "../session/runnableMachine.ts";
import type { KernelObserver } from "./parts.ts";

/**
 * Who ran where in a part of the machine's past, as much of it as the history has and one answer may cover; the machine is where it was then.
 * Undefined: it keeps no history.
 */
export function activityIn(
	{ history }: RunnableMachine,
	observer: KernelObserver,
	part: { readonly from: Instructions; readonly to: Instructions },
	marks: readonly ActivityMark[],
): ActivityModel | undefined {
	if (!history) return undefined;
	const [oldest, present] = [history.oldest.steps, history.present.steps];
	const to = Math.max(oldest, Math.min(part.to, present));
	const from = Math.min(to, Math.max(oldest, part.from, to - mostActivity));
	const recorder = observer.activity();
	let model: ActivityModel | undefined;
	history.replay(
		from,
		to,
		() => recorder.arm(),
		() => {
			model = recorder.model({ oldest, present }, marks);
		},
	);
	return model;
}
