// Where everything lives in the core's linear memory. Plain constants: AssemblyScript and tsc read the same file.
//
//   statics | STATE (snapshot whole) | TRACKING | VOLATILE (may be dropped) | RAM | DISK
//
// - STATE holds everything architectural except RAM and disk. A snapshot is STATE + pages of RAM and disk.
// - TRACKING holds what the host asked for or counts (events, breakpoints, dirty pages, statistics). Never in snapshots.
// - VOLATILE holds caches of the rest (TLBs, decoded pages, translations). Dropping it changes nothing that a guest can see.
//
// The memory never grows; all areas but RAM and DISK have fixed places. Nothing here is touched before use, so that
// untouched host pages cost nothing. "Linear page" n means bytes [n * 4096, (n + 1) * 4096) of this memory.

export const LAYOUT_VERSION = 1;

export const PAGE_SIZE = 4096;
export const PAGE_SHIFT = 12;
export const MAX_HARTS = 8;

// ---- STATE -----------------------------------------------------------------------------------------------------

export const STATE_BASE = 0x10000;
export const STATE_SIZE = 0x30000;

/** Machine-wide words. */
export const MACHINE_BASE = 0x10000;
/** u32: number of harts, 1..8. */
export const M_HARTS = 0x10000;
/** u32: RAM bytes, a multiple of 4096. */
export const M_RAM_SIZE = 0x10004;
/** u32: disk bytes reserved in linear memory, a multiple of 4096. */
export const M_DISK_SIZE = 0x10008;
/** u32: 1 = PMP is enforced, 0 = every physical access is allowed. */
export const M_PMP_ENFORCED = 0x1000c;
/** u64: xorshift64* state for slice lengths and hart order; 0 = seed 0, plain round robin. */
export const M_RANDOM = 0x10010;
/** u64: mtime, in ticks of 10 MHz. Constant during a round. */
export const M_TIME = 0x10018;
/** u32: instructions of the current tick already spent (0..INSTRUCTIONS_PER_TICK-1). */
export const M_TIME_FRACTION = 0x10020;
/** u32: the slice length of this round (what time advances by at its end). */
export const M_ROUND_LENGTH = 0x10024;
/** u32: index into M_ORDER of the hart whose slice it is; == harts at the end of the round. */
export const M_CURSOR = 0x10028;
/** u32: steps left in the current slice. */
export const M_SLICE_LEFT = 0x1002c;
/** u32: 1 = the current slice has begun (its interrupt check is done). */
export const M_SLICE_BEGUN = 0x10030;
/** u32: nonzero = call `deviceTick` at the next slice end; set by the host, cleared by the core before the call. */
export const M_DEVICE_WORK = 0x10034;
/** u64: mtime at which `deviceTick` is due (all ones: never); the core resets it to all ones before the call. */
export const M_DEVICE_TIME = 0x10038;
/** u64: steps (retired or trapped instructions) of all harts together. The unit of run budgets. */
export const M_STEPS = 0x10040;
/** u64: slices ended so far. Input that arrives "at slice end n" is replayed at slice end n. */
export const M_SLICES = 0x10048;
/** u8[8]: order of the harts in this round. */
export const M_ORDER = 0x10050;
/** u64: rounds ended so far. */
export const M_ROUNDS = 0x10058;

/** u64: round (counted from 1) in which a hart or a device last did something that may have had an effect. */
export const M_LAST_ACTIVE = 0x10060;
/** u32: hart that is being probed + 1, or 0; steps of the probe so far; entries of its journal. */
export const M_PROBE_HART = 0x10068;
export const M_PROBE_STEPS = 0x1006c;
export const M_PROBE_STORES = 0x10070;
/** u32: 1 = the slice is over but for its grace (schedule.ts). */
export const M_GRACE = 0x10074;
/** Scheduling policy (policy.ts). u32: 1 = directed; its slice length; rounds between early ends of wfi, 0: none; decisions. */
export const M_POLICY = 0x10078;
export const M_POLICY_SLICE = 0x1007c;
export const M_WAKE_EVERY = 0x10080;
export const M_DECISIONS = 0x10084;
/** {u64 the hart's steps, u32 hart, u32 rounds to park or DECISION_TIMER; 0: it was taken}[DECISIONS_MAX] */
export const DECISIONS = 0x15000;
export const DECISION_SIZE = 16;
export const DECISIONS_MAX = 256;
export const DECISION_TIMER = 0xffffffff;
/** {u32 linear address of 8 bytes, u32 0, u64 content before the probe}[PROBE_STORES_MAX] */
export const PROBE_JOURNAL = 0x14000;
export const PROBE_STORES_MAX = 256;

/** CLINT. u32[8] msip, then u64[8] mtimecmp. */
export const CLINT_MSIP = 0x11000;
export const CLINT_MTIMECMP = 0x11040;

/** PLIC. Context = 2 * hart (M) or 2 * hart + 1 (S). Sources 1..127. */
export const PLIC_SOURCES = 128;
/** u32[128] priorities. */
export const PLIC_PRIORITY = 0x12000;
/** u32[4] each: pending, claimed, line levels. */
export const PLIC_PENDING = 0x12200;
export const PLIC_CLAIMED = 0x12210;
export const PLIC_LEVEL = 0x12220;
/** u32[16] thresholds by context. */
export const PLIC_THRESHOLD = 0x12240;
/** u32[16][4] enables by context. */
export const PLIC_ENABLE = 0x12300;

/** Device table, filled by `addDevice`: u32 count, then entries at +16. */
export const DEVICE_TABLE = 0x13000;
export const DEVICE_TABLE_COUNT = 0x13000;
export const DEVICE_TABLE_ENTRIES = 0x13010;
/** entry: u64 base, u64 size, u32 id, u32 access mask. */
export const DEVICE_ENTRY_SIZE = 32;
export const DEVICE_TABLE_MAX = 64;

/** Harts: HART_BASE + hart * HART_STRIDE; field offsets are below. */
export const HART_BASE = 0x18000;
export const HART_STRIDE = 0x1000;

/** Registers and FIFOs of the devices that live in TypeScript, carved up by them. */
export const DEVICE_STATE_BASE = 0x20000;
export const DEVICE_STATE_SIZE = 0x10000;

/** Boot ROM image of guest physical 0..0xffff (QEMU virt has its ROM at 0x1000..0xffff); readable and executable only. */
export const ROM_BASE = 0x30000;
export const ROM_SIZE = 0x10000;
export const ROM_GUEST_START = 0x1000;

// ---- fields of a hart (offsets from its base) --------------------------------------------------------------------

/** i64[32]; x0 stays 0. */
export const H_X = 0x000;
/** Where an instruction with rd = x0 writes. Not part of the state: zeroed when a run returns. */
export const H_SINK = 0x100;
/** u64; valid whenever the core is not inside the hart's dispatch loop. */
export const H_PC = 0x108;
/** u32: 0 U, 1 S, 3 M. */
export const H_MODE = 0x110;
/** u32: hart number. */
export const H_ID = 0x114;
/** u32: 1 = in wfi. */
export const H_WAITING = 0x118;
/** u32: transient, 1 = the instruction under way faulted, see the two words below. */
export const H_FAULT = 0x11c;
export const H_FAULT_CAUSE = 0x120;
export const H_FAULT_TVAL = 0x128;
/** u64: steps this hart has made (retired or trapped instructions) when not running. See H_STEPS_END. */
export const H_STEPS = 0x130;
/** u64: synchronous exceptions taken; minstret = steps - exceptions + bias. */
export const H_EXCEPTIONS = 0x138;
/** u64: added to the counts when minstret/mcycle are read (writes to these CSRs set it). */
export const H_INSTRET_BIAS = 0x140;
export const H_CYCLE_BIAS = 0x148;
/** u64: physical address of the reservation, all ones: none. u64: the value that LR read (as QEMU compares it). */
export const H_RESERVATION = 0x150;
export const H_RESERVED_VALUE = 0x158;
/** Harts that spin without effect (spin.ts). u32: SPIN_* state. */
export const H_SPIN_STATE = 0x160;
/** u32: slices in a row without a trap. */
export const H_SPIN_SUSPECT = 0x164;
/** u64: round (counted from 1) in which the loop was last seen to change nothing. */
export const H_SPIN_ROUND = 0x168;
/** u32: rounds to rest; steps of one turn of the loop (0: not known); steps left of a re-check or search; slices until the next probe. */
export const H_SPIN_WAIT = 0x170;
export const H_SPIN_LENGTH = 0x174;
export const H_SPIN_LEFT = 0x178;
export const H_SPIN_NEXT = 0x17c;
/** u64: traps taken (exceptions and interrupts), and their number when the hart was last looked at. */
export const H_TRAPS = 0x180;
export const H_SPIN_TRAPS = 0x188;
/** u32: slices since the last probe. */
export const H_SPIN_SINCE = 0x190;
/** u32: 1 = the hart gave up the rest of its slice (it met a lock that is held, or its grace is over). */
export const H_YIELDED = 0x194;
/** u64: the hart does not run before so many rounds have ended (policy.ts). */
export const H_PARKED = 0x198;
/** i64[32]: f0..f31, raw bits, binary32 NaN-boxed. */
export const H_F = 0x200;
/** u32 each. */
export const H_FFLAGS = 0x300;
export const H_FRM = 0x304;

/** CSRs, u64 each. */
export const H_MSTATUS = 0x400;
export const H_MIE = 0x408;
/** Interrupt-pending bits as read from mip: software-writable and wired ones together. */
export const H_MIP = 0x410;
export const H_MIDELEG = 0x418;
export const H_MEDELEG = 0x420;
export const H_MTVEC = 0x428;
export const H_MEPC = 0x430;
export const H_MCAUSE = 0x438;
export const H_MTVAL = 0x440;
export const H_MSCRATCH = 0x448;
export const H_MCOUNTEREN = 0x450;
export const H_MCOUNTINHIBIT = 0x458;
export const H_MENVCFG = 0x460;
export const H_STVEC = 0x468;
export const H_SEPC = 0x470;
export const H_SCAUSE = 0x478;
export const H_STVAL = 0x480;
export const H_SSCRATCH = 0x488;
export const H_SCOUNTEREN = 0x490;
export const H_SENVCFG = 0x498;
export const H_SATP = 0x4a0;
export const H_STIMECMP = 0x4a8;
/** u64: SEIP as software wrote it; mip.SEIP reads this OR the PLIC's line. */
export const H_SEIP_SOFT = 0x4b0;
/** u8[16] pmpcfg bytes, u64[16] pmpaddr. */
export const H_PMPCFG = 0x500;
export const H_PMPADDR = 0x510;

/** Copy of the registers at the start of a probe or re-check: x, f, pc, mstatus, mie, pending interrupts. */
export const H_SPIN_COPY = 0x600;

// ---- TRACKING ----------------------------------------------------------------------------------------------------

export const TRACKING_BASE = 0x40000;
export const TRACKING_SIZE = 0xc0000;

/** u32: EVENT_* bits that somebody listens to. */
export const T_EVENT_MASK = 0x40000;
/** u32: nonzero stops the run after the current instruction; a STOP_* code. */
export const T_STOP_REQUEST = 0x40004;
/** u32: hart of the last breakpoint or watchpoint stop, STOP_DEVICE for DMA; u64: its pc; u64: the watched address that was accessed. */
export const T_STOP_HART = 0x40008;
export const STOP_DEVICE = 0xffffffff;
/** u32: WATCH_* bit of the access that a watchpoint saw. */
export const T_STOP_ACCESS = 0x4000c;
export const T_STOP_PC = 0x40010;
export const T_STOP_ADDRESS = 0x40018;
/** u32: hart + 1 whose turn it is while the core runs it, else 0. */
export const T_RUNNING = 0x40020;
/**
 * u32: where between two steps the last run left the machine: STOP_BUDGET: right after a step; STOP_WAITING, STOP_IDLE: every hart
 * waits; STOP_READY: right before the next step.
 */
export const T_STANDING = 0x40024;
/** u32: hart + 1 that met a STOP_READY request. */
export const T_READY_HART = 0x40028;
/** u32: arrivals at a jump target after which it is offered to the translator (less than HEAT_ASLEEP); 0: none is. */
export const T_HOT = 0x4002c;
/** u32: hart + 1 whose steps end the run (`runHart`), or 0; u64: the H_STEPS that it is to reach. */
export const T_RUN_HART = 0x40030;
export const T_RUN_STEPS = 0x40038;
/** u64: M_STEPS less the running hart's H_STEPS when its turn began: with its count of steps, the exact moment. */
export const T_TURN_BASE = 0x40040;
/** Only core-watch.wasm: accesses in [from, from + span) are recorded; u32 records' linear address, how many, and at how many the host is called. */
export const T_WATCHED_FROM = 0x40048;
export const T_WATCHED_SPAN = 0x40050;
export const T_WATCHED_RECORDS = 0x40058;
export const T_WATCHED_COUNT = 0x4005c;
export const T_WATCHED_LIMIT = 0x40060;
/** u64: a function whose calls are recorded, too, where there is a breakpoint at it; u32: offset of a word in what its argument points to. */
export const T_WATCHED_CALL = 0x40068;
export const T_WATCHED_MEMBER = 0x40070;
/** u32 each: of code in [quiet, quiet + span) only swaps are recorded, and releases. */
export const T_WATCHED_QUIET = 0x40074;
export const T_WATCHED_QUIET_SPAN = 0x40078;
/**
 * From the records on: as many as there is room for; then u64[]: accesses that need no other record (watch.ts); then u32 a hart: its epoch; then u32
 * from and span of memory that no other hart uses, and of the code of the locks whose 4-byte stores of 0 are recorded.
 */
export const WATCHED_CAPACITY = 65536;
export const WATCHED_SEEN = WATCHED_CAPACITY * 16;
export const WATCHED_SEEN_COUNT = 65536;
export const WATCHED_EPOCHS = WATCHED_SEEN + WATCHED_SEEN_COUNT * 8;
export const WATCHED_PRIVATE = WATCHED_EPOCHS + MAX_HARTS * 4;
export const WATCHED_RELEASE = WATCHED_PRIVATE + 8;
export const WATCHED_BYTES = WATCHED_RELEASE + 8;
export const WATCHED_READ = 0;
export const WATCHED_WRITE = 1;
export const WATCHED_SWAP = 2;
export const WATCHED_WALK = 3;
export const WATCHED_LEAF = 4;
export const WATCHED_FENCE = 5;
export const WATCHED_CALL = 6;
export const WATCHED_ORDER = 7;

/** Breakpoints: u32 count, u64[] pcs. Watchpoints: u32 count, {u64 start, u64 end (exclusive), u32 access bits, u32 id}[]. */
export const T_BREAKPOINT_COUNT = 0x40080;
export const T_WATCHPOINT_COUNT = 0x40084;
export const T_BREAKPOINTS = 0x41000;
export const T_BREAKPOINT_MAX = 512;
export const T_WATCHPOINTS = 0x42000;
export const T_WATCHPOINT_MAX = 128;
export const T_WATCHPOINT_SIZE = 24;

/** Statistics, u64 each, summed over harts. */
export const S_TLB_MISSES = 0x40100;
export const S_WALKS = 0x40108;
export const S_TLB_FLUSHES = 0x40110;
export const S_FENCES = 0x40118;
export const S_PAGES_DECODED = 0x40120;
export const S_PAGES_LINKED = 0x40128;
export const S_PAGES_UNLINKED = 0x40130;
export const S_SLOW_STORES = 0x40138;
export const S_DEVICE_ACCESSES = 0x40140;
export const S_BULK_STEPS = 0x40148;
export const S_TIME_SKIPS = 0x40150;
export const S_SPIN_PROBES = 0x40158;
export const S_SPIN_HITS = 0x40160;
export const S_BANK_MISSES = 0x40168;
/** Slices that ended inside of a long turn. */
export const S_SLICES_PASSED = 0x40170;
/** u64[16] exceptions by cause, u64[16] interrupts by cause. */
export const S_EXCEPTIONS = 0x40200;
export const S_INTERRUPTS = 0x40280;

/** Per-hart words that are not architectural: at (hart base + HART_TRACKING_DELTA). */
export const HART_TRACKING_DELTA = 0x30000;
/** u32: base of the TLB bank in use (read table; write at +TLB_WRITE, fetch at +TLB_FETCH). */
export const V_TLB = 0x30000;
/** u32: next bank to replace. */
export const V_NEXT_BANK = 0x30004;
/** u32: 1 = leave the dispatch loop after this instruction (code changed, stop requested, interrupt unmasked, …). */
export const V_YIELD = 0x30008;
/** i32: steps left in this call, stored before slow paths that need the count: steps now = H_STEPS_END - V_LEFT. */
export const V_LEFT = 0x3000c;
/** u64: what H_STEPS will be when V_LEFT reaches 0. */
export const V_STEPS_END = 0x30010;
/** u64: the hart's count of steps at which breakpoints do not stop it: it stopped there before. All ones: none. */
export const V_RESUME_STEPS = 0x30018;
/** u64[8]: keys of the TLB banks. */
export const V_BANK_KEYS = 0x30040;
/** The last trap, for listeners: u64 cause (bit 63: interrupt), tval, pc; u32 from mode, to mode. */
export const V_TRAP_CAUSE = 0x30100;
export const V_TRAP_TVAL = 0x30108;
export const V_TRAP_PC = 0x30110;
export const V_TRAP_FROM = 0x30118;
export const V_TRAP_TO = 0x3011c;
/** Evidence of a stall. u64: steps at the last trap; u32: exceptions in a row with no instruction retired between. */
export const V_TRAP_STEPS = 0x30120;
export const V_TRAP_STREAK = 0x30128;
/** u32: accesses that PMP refused; u64: the last refused physical address; u64: its pc. */
export const V_PMP_DENIED = 0x30130;
export const V_PMP_ADDRESS = 0x30138;
export const V_PMP_PC = 0x30140;

/** Dirty bitmaps over linear pages (bit n & 7 of byte n >> 3): current, and the one last handed out by `takeDirty`. */
export const DIRTY_BASE = 0x80000;
export const DIRTY_TAKEN_BASE = 0xa0000;
export const DIRTY_SIZE = 0x20000;
/** The same of pages that are kept for going back (undo.ts). */
export const UNDO_BITS = 0xc0000;
export const UNDO_BITS_SIZE = 0x20000;
/** Set of the virtual pages that were stored to since the last checkpoint: a bitmap by a hash (undo.ts). */
export const UNDO_STORES = 0x50000;
export const UNDO_STORES_BITS = 0x1000;
/** What ran since then (ran.ts): {u64 virtual page, u32 slot or 0, u32 1}[]; the set of addresses. */
export const RAN_PAGES = 0x58000;
export const RAN_PAGES_COUNT = 0x800;
export const RAN_PAGE_SIZE = 16;
export const RAN_SET = 0x52000;
export const RAN_SET_BITS = 0x10000;

// ---- VOLATILE ----------------------------------------------------------------------------------------------------

export const VOLATILE_BASE = 0x100000;
export const VOLATILE_SIZE = 0x3f00000;

/** TLB banks: hart h, bank b at TLB_BASE + (h * TLB_BANKS + b) * TLB_BANK_SIZE. */
export const TLB_BASE = 0x100000;
export const TLB_BANKS = 8;
export const TLB_BANK_SIZE = 0x3000;
export const TLB_ENTRIES = 256;
/** Entry: u64 tag = virtual page address (all ones: empty); u32 at +8. */
export const TLB_ENTRY_SIZE = 16;
/** Read and write entries: host address = word at +8 + low 32 bits of the virtual address. */
export const TLB_READ = 0;
export const TLB_WRITE = 0x1000;
/** Fetch entries: the word at +8 is the base of the page's decoded records. */
export const TLB_FETCH = 0x2000;

/** u8 per linear page: PAGE_* flags. A page with any flag never enters a write TLB. */
export const PAGE_FLAGS = 0x200000;
/** The page has decoded code linked to it. */
export const PAGE_CODE = 1;
/** The page was walked as a last-level page table (index bits 12..20). */
export const PAGE_TABLE_LEAF = 2;
/** The page was walked as an upper-level page table, or holds a superpage leaf. */
export const PAGE_TABLE_UPPER = 4;
/** A hart that is not running holds a reservation in the page. */
export const PAGE_RESERVED = 8;

/** u16 per linear page: decoded slot linked to it, 0 = none. */
export const PAGE_SLOT = 0x300000;

/** u32 per linear page that was walked as a page table: page number of the root that it was walked from, or PAGE_ROOTS_MANY. */
export const PAGE_ROOT = 0xb00000;
export const PAGE_ROOTS_MANY = 0xffffffff;
/** u8 per linear page: bit h = hart h may have write TLB entries for it. */
export const PAGE_WRITERS = 0xf00000;

/** Decoded pages ("slots"), found by content: 1..SLOT_COUNT-1. */
export const SLOT_COUNT = 1024;
export const SLOT_BUCKETS = 0x500000;
export const SLOT_BUCKET_COUNT = 4096;
/** per slot: u64 hash, u32 next slot in the bucket, 4 bytes spare. */
export const SLOT_INFO = 0x510000;
export const SLOT_INFO_SIZE = 16;
/**
 * u16 per record, at HEAT_BASE + (record - SLOT_RECORDS) / 8: arrivals so far; HEAT_QUIET: not offered again; from HEAT_CODE
 * on: translated, the region is element (value - HEAT_CODE + REGION_TABLE) of the core's function table.
 */
export const HEAT_BASE = 0x600000;
export const HEAT_STRIDE = 0x1020;
/** Only core-watch.wasm, which counts no heat: which ways a conditional branch went. */
export const BRANCH_TAKEN = 1;
export const BRANCH_PASSED = 2;
export const HEAT_QUIET = 0x1fff;
/** Translated; the translator is to be told who arrives there first. */
export const HEAT_ASLEEP = 0x1ffe;
export const HEAT_CODE = 0x2000;
export const REGION_TABLE = 64;
/** In a region's result, with the steps left: interpret at least one instruction before looking for a region again. */
export const REGION_COLD = 0x80000000;
/** 4096 bytes per slot: the page's content. */
export const SLOT_COPY = 0x1000000;
/** Records of a slot: one of 16 bytes for each 2 bytes of code, then a terminator (RECORD_END). */
export const SLOT_RECORDS = 0x1400000;
export const SLOT_RECORDS_STRIDE = 0x8100;
export const RECORD_SIZE = 16;
/** u8 per record: RAN_* bits (ran.ts): the interpreter arrived there; a region has it; it is reached from an arrival. */
export const RAN_MARKS = 0x3500000;
export const RAN_MARKS_STRIDE = 0x810;
export const RAN_ARRIVED = 1;
export const RAN_REGION = 2;
export const RAN_REACHED = 4;
/** Scratch records for instructions that cross a page or are run one at a time. */
export const SCRATCH_RECORDS = 0x520000;
/**
 * Pages that translated code used last, as TLB entries: of loads by the base registers x0..x31, then of stores
 * (jit/pageCaches.ts). Not at the place in their 4 KiB where a hart has its registers: hosts take that for a dependency.
 */
export const PAGE_CACHES = 0x530c00;
export const PAGE_CACHES_SIZE = 0x400;
/** u32: the TLB bank that they are copies of, 0: of none. */
export const PAGE_CACHES_BANK = 0x532000;

// ---- RAM and DISK --------------------------------------------------------------------------------------------------

/** Guest physical RAM_GUEST_BASE is here. The disk follows, page-aligned, at RAM_BASE + RAM size. */
export const RAM_BASE = 0x4000000;
/** Guest physical address of RAM (0x80000000; a 64-bit constant in AssemblyScript, a number in TypeScript). */
export const RAM_GUEST_BASE = 0x80000000;
/** Largest RAM. */
export const RAM_SIZE_MAX = 0x7f000000;

// ---- UNDO: after the disk, touched only while a history is kept (undo.ts, ../history.ts) ---------------------------------------

/** Pages of the area of copies, at most. */
export const UNDO_PAGES_MAX = 4096;
/** Bytes for logs on their way to and from the host. */
export const UNDO_BUFFER_SIZE = 0x40000;
export const UNDO_LINE = 64;
export const UNDO_LINE_SHIFT = 6;
/** In an entry: its word fills the page. In a log: one word fills the lines of the run. */
export const UNDO_UNIFORM = 0x80000000;
/** The same from the page's second line on. */
export const UNDO_TAIL = 0x40000000;

// ---- codes ---------------------------------------------------------------------------------------------------------

/** The timebase is 10 MHz and a hart retires 100 million instructions in a second of guest time. */
export const INSTRUCTIONS_PER_TICK = 10;
/** Slice of each hart with seed 0. */
export const SLICE_LENGTH = 4000;

export const STOP_BUDGET = 0;
export const STOP_IDLE = 1;
export const STOP_BREAKPOINT = 2;
export const STOP_WATCHPOINT = 3;
export const STOP_REQUESTED = 4;
/** Only with RUN_STOP_BEFORE_SKIP: every hart waits; the next `run` without that flag skips time to the next event. */
export const STOP_WAITING = 5;
/** Only with RUN_STOP_READY: everything that happens without a step has happened, and a hart is about to make one. */
export const STOP_READY = 6;
/** The hart of T_RUN_HART has made its steps. */
export const STOP_HART = 7;

export const RUN_STOP_BEFORE_SKIP = 1;
export const RUN_STOP_READY = 2;

export const SPIN_NONE = 0;
/** Does not run: its loop was seen to change nothing. */
export const SPIN_RESTS = 1;
/** Runs one turn of its loop to see whether it still changes nothing. */
export const SPIN_RECHECK = 2;
/** Runs step by step to find out whether it is in such a loop. */
export const SPIN_PROBE = 3;
/** Runs to a point where it takes interrupts: kernels hold no lock there, so others are not held up by its rest. */
export const SPIN_SEEK = 4;

export const EVENT_TRAP = 1;
export const EVENT_TRAP_RETURN = 2;
export const EVENT_ROOT_CHANGE = 4;

/** Access masks of devices: permitted sizes in bytes, and "an 8-byte access is two of 4 bytes, low half first". */
export const ACCESS_1 = 1;
export const ACCESS_2 = 2;
export const ACCESS_4 = 4;
export const ACCESS_8 = 8;
export const ACCESS_SPLIT_8 = 16;

export const WATCH_READ = 1;
export const WATCH_WRITE = 2;
/** Of a range of physical addresses: any access to it, by any mapping; devices and the page-table walker (A and D bits), too. */
export const WATCH_PHYSICAL_READ = 4;
export const WATCH_PHYSICAL_WRITE = 8;
export const WATCH_PHYSICAL = 12;
