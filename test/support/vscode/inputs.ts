/** Questions that the extension draws itself. The person's answers come one by one; undefined: they go away. */

import { EventEmitter } from "./values.ts";

/** A question as it was put, for a test to read. */
export interface Question {
	readonly title: string;
	readonly choices: readonly string[];
	/** What was said of answers that were not accepted. */
	readonly refused: string[];
}

abstract class StandInInput {
	title = "";
	busy = false;
	/** Closed by the extension. */
	disposed = false;
	private readonly accepted = new EventEmitter<void>();
	private readonly pressed = new EventEmitter<void>();
	private readonly hidden = new EventEmitter<void>();
	readonly onDidAccept = this.accepted.event;
	readonly onDidTriggerButton = this.pressed.event;
	readonly onDidHide = this.hidden.event;
	constructor(
		private readonly answers: (string | undefined)[],
		private readonly questions: Question[],
	) {}
	protected abstract put(answer: string): void;
	protected abstract get question(): Question;
	protected abstract get refusal(): string | undefined;
	show(): void {
		const { question } = this;
		this.questions.push(question);
		setImmediate(() => {
			while (!this.busy) {
				const answer = this.answers.shift();
				if (answer === undefined) return this.hidden.fire();
				// `✓ ` before an answer: given with the button instead of Enter.
				this.put(answer.replace(/^✓ /, ""));
				(answer.startsWith("✓ ") ? this.pressed : this.accepted).fire();
				if (!this.busy) question.refused.push(this.refusal ?? "");
			}
			// As VS Code does when the next question opens.
			this.hidden.fire();
		});
	}
	dispose(): void {
		this.disposed = true;
	}
}

export class StandInInputBox extends StandInInput {
	value = "";
	prompt = "";
	ignoreFocusOut = false;
	buttons: readonly object[] = [];
	validationMessage: string | undefined;
	private readonly changed = new EventEmitter<string>();
	readonly onDidChangeValue = this.changed.event;
	protected put(answer: string): void {
		// Enter alone leaves what stands there.
		if (answer === "") return;
		this.value = answer;
		this.changed.fire(answer);
	}
	protected get question(): Question {
		return { title: this.title, choices: [this.value], refused: [] };
	}
	protected get refusal(): string | undefined {
		return this.validationMessage;
	}
}

export class StandInQuickPick extends StandInInput {
	placeholder = "";
	items: readonly { readonly label: string }[] = [];
	selectedItems: readonly { readonly label: string }[] = [];
	protected put(answer: string): void {
		this.selectedItems = this.items.filter(({ label }) => label === answer);
	}
	protected get question(): Question {
		return { title: this.placeholder, choices: this.items.map(({ label }) => label), refused: [] };
	}
	protected get refusal(): undefined {
		return undefined;
	}
}
