import type { EngineParts, ModelSource } from "./parts.ts";

const modelEveryMs = 100;
/** An update may take this part of the guest's time; but one in two seconds comes at any rate. */
const modelShare = 1 / 40;
const modelAtLeastMs = 2000;

/**
 * Sends the kernel's model to the inspector: at most 10 times a second, and each after the one before was drawn. While the machine
 * stands in its past that moment is sent, and nothing of the present but what is left of its log.
 */
export class ModelSender {
	private models: ModelSource | undefined;
	/** When the next update may come, and whether the inspector has drawn the last. */
	private next = 0;
	private isDrawn = true;
	private isStale = false;
	/** The inspector has its first model. */
	private hasBegun = false;
	private showsPast = false;

	constructor(private readonly parts: Pick<EngineParts, "emit" | "now">) {}

	/** The inspector opened, or was loaded again: it begins with a whole model. Undefined: it closed. */
	watch(models: ModelSource | undefined): void {
		this.models?.dispose();
		this.models = models;
		this.isDrawn = true;
		this.hasBegun = false;
		if (models) this.send();
	}

	/** `idle`: no slice will send what is left of a long log. */
	drawn(idle: boolean): void {
		this.isDrawn = true;
		if (this.isStale || (idle && this.models?.more)) this.send();
	}

	/** The machine runs: sends when it is time. */
	tick(): void {
		if (this.models && this.isDrawn && this.parts.now() >= this.next) this.send();
	}

	/** Something happened that the inspector must not miss. */
	send(): void {
		const { models } = this;
		if (!models) return;
		if (!this.isDrawn) {
			this.isStale = true;
			return;
		}
		const start = this.parts.now();
		this.isStale = false;
		this.isDrawn = false;
		const past = models.past();
		if (!past || !this.hasBegun || models.more) this.parts.emit("model", { model: models.next(past !== undefined) });
		if (past || this.showsPast) this.parts.emit("past", { model: past });
		this.hasBegun = true;
		this.showsPast = past !== undefined;
		const end = this.parts.now();
		this.next = end + Math.min(Math.max(modelEveryMs, (end - start) / modelShare), modelAtLeastMs);
	}
}
