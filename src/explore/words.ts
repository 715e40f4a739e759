import type { Finding, Place } from "./report.ts";

type Told = Pick<Finding, "kind" | "variable" | "places"> & { readonly other?: string };

function functions(places: readonly Place[]): string {
	return places.map(({ stack }) => stack[0]?.function ?? "?").join(" / ");
}

/** One line, as KCSAN's: what, and in which functions. */
export function titleOf({ kind, variable, other, places }: Told): string {
	const where = functions(places);
	switch (kind) {
		case "race":
			return `data race on ${variable} in ${where}`;
		case "no-common-lock":
			return `${variable} has no lock of its own in ${where}`;
		case "lock-order":
			return `locks are taken in opposite orders: ${variable} and ${other ?? variable}, in ${where}`;
		case "sleep-window":
			return `lost wakeup: ${variable} is released before the process can be woken, in ${where}`;
		case "sleep-blind":
			return `lost wakeup: sleep() under ${variable} without a look at the condition, in ${where}`;
		case "held-at-sleep":
			return `${variable} is held at sleep(), in ${where}`;
		case "held-in-user-mode":
			return `${variable} is held on the return to user mode`;
		case "interrupts-on":
			return `interrupts are on while ${variable} is held, in ${where}`;
		case "deadlock":
			return `deadlock: harts wait for each other's locks, in ${where}`;
		case "lock-again":
			return `deadlock: ${variable} is taken by the hart that holds it, in ${where}`;
		case "stale-mapping":
			return `user address ${variable} is used through a mapping that was taken away, without sfence.vma`;
		case "stale-space":
			return `user address ${variable} is used without sfence.vma after a switch of page tables`;
		case "count-drift":
			return `${variable} is not what it was before the command`;
		case "released-by-another":
			return `${variable} is released by a hart that does not hold it, in ${where}`;
	}
}

/** Why that is wrong, in a sentence or two. */
export function whyOf({ kind, variable, places }: Told): string {
	const [first, second] = places;
	switch (kind) {
		case "race":
			return `No lock is held at both places, and nothing else orders them: ${first?.does === "read" ? "what is read may change under the reader" : "one may overwrite or miss what the other writes"}.`;
		case "no-common-lock":
			return `More than one hart uses ${variable}, at least one writes it, and no lock is held at all of its uses. In this run another lock happened to keep the two apart.`;
		case "lock-order":
			return "One hart may hold the first and wait for the second while another holds the second and waits for the first: neither ever continues. Acquire them in one order everywhere.";
		case "sleep-window":
			return "Between this release and the moment when the process's own lock is taken, a wakeup() finds nobody asleep and is lost. Take the process's lock first.";
		case "sleep-blind":
			return `Nothing was read under the lock since it was taken in ${first?.stack[0]?.function ?? "?"}: an earlier wakeup() is lost. Check the condition under the same lock, and do not release it in between.`;
		case "held-at-sleep":
			return "A process that sleeps with a spinlock held makes every hart that wants the lock spin until the sleeper is woken, perhaps by one of them.";
		case "held-in-user-mode":
			return "The system call or trap returned without release(): every hart that wants the lock waits forever.";
		case "interrupts-on":
			return `An interrupt that comes at ${second?.stack[0]?.function ?? "this place"} and wants the same lock waits for itself.`;
		case "released-by-another":
			return "The hart that acquired the lock still believes that it holds it.";
		case "deadlock":
			return "Each of these harts waits for a lock that the next one holds, so none of them can continue.";
		case "lock-again":
			return "xv6's spinlocks are not recursive: the hart waits for itself.";
		case "stale-mapping":
			return "The hart's TLB may still hold the old page-table entry, so on real hardware this access may use the old page. This machine always reads the new entry. Run sfence.vma on every hart that may have used the mapping.";
		case "stale-space":
			return "The hart's TLB may still hold the entry of the page table that it used before, so on real hardware this access may reach another process's page. Run sfence.vma after each write of satp.";
		case "count-drift":
			return "";
	}
}
