// Driver for the 16550 UART, the serial line that is our console.

#include "types.h"
#include "param.h"
#include "memlayout.h"
#include "riscv.h"
#include "spinlock.h"
#include "proc.h"
#include "defs.h"

// Its registers are single bytes. Several share an offset: one is for
// reading, another for writing, a third for when LCR_BAUD_LATCH is set.
#define REG(offset) ((volatile uchar*)(UART0 + (offset)))
#define RHR REG(0)              // received byte (read)
#define THR REG(0)              // byte to send (write)
#define IER REG(1)              // interrupt enable
#define IER_RX (1 << 0)         // ... when a byte has come
#define IER_TX (1 << 1)         // ... when the next may be sent
#define FCR REG(2)              // FIFO control (write)
#define FCR_FIFO_ENABLE (1 << 0)
#define FCR_FIFO_CLEAR  (3 << 1)  // both FIFOs
#define ISR REG(2)              // interrupt status (read)
#define LCR REG(3)              // line control
#define LCR_EIGHT_BITS (3 << 0)
#define LCR_BAUD_LATCH (1 << 7) // offsets 0 and 1 set the speed
#define LSR REG(5)              // line status
#define LSR_RX_READY (1 << 0)   // RHR holds a byte
#define LSR_TX_IDLE  (1 << 5)   // THR may take one

// Bytes on their way out. Both counters only grow; a byte's place is its
// number modulo the size, so the ring is empty when they are equal.
#define TX_SIZE 64
static struct {
  struct spinlock lock;
  char buf[TX_SIZE];
  uint64 in;                    // bytes put in by uartputc
  uint64 out;                   // bytes given to the device
} tx;

extern volatile int panicked;   // printf.c

static void uartstart(void);

void
uartinit(void)
{
  *IER = 0;                     // quiet while it is being set up

  *LCR = LCR_BAUD_LATCH;
  *RHR = 3;                     // divisor, low byte: 38400 baud
  *IER = 0;                     // divisor, high byte

  *LCR = LCR_EIGHT_BITS;        // no parity; ends the latch mode as well
  *FCR = FCR_FIFO_ENABLE | FCR_FIFO_CLEAR;
  *IER = IER_RX | IER_TX;

  initlock(&tx.lock, "uart");
}

// Queues a byte for output, and sleeps while the ring is full: for
// write(), not for interrupt handlers.
void
uartputc(int c)
{
  acquire(&tx.lock);
  while(panicked)
    ;
  while(tx.in == tx.out + TX_SIZE)
    sleep(&tx.out, &tx.lock);
  tx.buf[tx.in++ % TX_SIZE] = c;
  uartstart();
  release(&tx.lock);
}

// Sends a byte at once, without queue or interrupts: for printf() and for
// echoing keys, which cannot sleep.
void
uartputc_sync(int c)
{
  push_off();
  while(panicked)
    ;
  while((*LSR & LSR_TX_IDLE) == 0)
    ;
  *THR = c;
  pop_off();
}

// Gives the device as many queued bytes as it takes right now; its next
// interrupt brings us back for the rest. Caller holds tx.lock.
static void
uartstart(void)
{
  while(tx.out != tx.in && (*LSR & LSR_TX_IDLE) != 0){
    *THR = tx.buf[tx.out++ % TX_SIZE];
    wakeup(&tx.out);
  }
}

// Returns a received byte, or -1 if there is none.
int
uartgetc(void)
{
  if((*LSR & LSR_RX_READY) == 0)
    return -1;
  return *RHR;
}

// An interrupt: bytes have come, or there is room to send, or both.
void
uartintr(void)
{
  // Reading the status is what acknowledges a transmit interrupt.
  (void)*ISR;

  for(int c = uartgetc(); c != -1; c = uartgetc())
    consoleintr(c);

  acquire(&tx.lock);
  uartstart();
  release(&tx.lock);
}
