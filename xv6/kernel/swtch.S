        // void swtch(struct context *old, struct context *new);
        //
        // Puts this thread aside in *old and goes on with the one in *new.
        // The call "returns" to wherever that thread once called swtch.

// Saves (op = sd) or loads (op = ld) what a called function must preserve,
// in the order of struct context (proc.h).
.macro thread_registers op, context
        \op ra, 0(\context)
        \op sp, 8(\context)
        \op s0, 16(\context)
        \op s1, 24(\context)
        \op s2, 32(\context)
        \op s3, 40(\context)
        \op s4, 48(\context)
        \op s5, 56(\context)
        \op s6, 64(\context)
        \op s7, 72(\context)
        \op s8, 80(\context)
        \op s9, 88(\context)
        \op s10, 96(\context)
        \op s11, 104(\context)
.endm

.globl swtch
swtch:
        thread_registers sd, a0
        thread_registers ld, a1 // sp too: from here on, the other's stack
        ret                     // to the new ra
