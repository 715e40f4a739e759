// Driver for the virtio block device that QEMU provides with
//   -drive file=fs.img,if=none,format=raw,id=x0
//   -device virtio-blk-device,drive=x0,bus=virtio-mmio-bus.0
//
// Driver and device talk through a queue in memory. The driver describes a
// request in a chain of descriptors and puts the chain's number in the
// "available" ring; when the device is done it puts the number in the "used"
// ring and interrupts. Numbers in brackets: sections of virtio 1.1.

#include "types.h"
#include "param.h"
#include "memlayout.h"
#include "riscv.h"
#include "spinlock.h"
#include "sleeplock.h"
#include "fs.h"
#include "buf.h"
#include "virtio.h"
#include "defs.h"

// A disk request is always three descriptors: what to do, the data, and a
// status byte. So the table is cut into chains of three once and for all;
// request i owns descriptors 3i, 3i + 1 and 3i + 2.
#define CHAIN 3
#define NREQUEST (NUM / CHAIN)

struct request {
  struct virtio_blk_req cmd;   // first descriptor
  struct buf *b;               // second: b->data; 0 if request is free
  uchar status;                // third: the device writes 0 for success
};

static struct {
  struct spinlock lock;

  // Each of these is a page of its own, shared with the device.
  struct virtq_desc *desc;
  struct virtq_avail *avail;
  struct virtq_used *used;

  struct request request[NREQUEST];
  uint16 seen;                 // how many entries of used we have handled
} disk;

static volatile uint32*
reg(uint64 offset)
{
  return (volatile uint32*)(VIRTIO0 + offset);
}

// Writes a physical address to a pair of registers; `low` is the first.
static void
setaddr(uint64 low, void *addr)
{
  *reg(low) = (uint64)addr;
  *reg(low + 4) = (uint64)addr >> 32;
}

// The device and other harts must see all earlier stores first.
static void
barrier(void)
{
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void
checkdevice(void)
{
  if(*reg(VIRTIO_MMIO_MAGIC_VALUE) != 0x74726976 ||
     *reg(VIRTIO_MMIO_VERSION) != 2 ||
     *reg(VIRTIO_MMIO_DEVICE_ID) != 2)
    panic("could not find virtio disk");
}

// Accepts all that the device offers, except what would change how requests
// look. One thing that it offers is a cache (VIRTIO_BLK_F_FLUSH), and we never
// ask it to write that out: see log.c for what is safe then.
static void
negotiate(void)
{
  uint32 refuse = 1 << VIRTIO_BLK_F_RO |
                  1 << VIRTIO_BLK_F_SCSI |
                  1 << VIRTIO_BLK_F_CONFIG_WCE |
                  1 << VIRTIO_BLK_F_MQ |
                  1 << VIRTIO_F_ANY_LAYOUT |
                  1 << VIRTIO_RING_F_INDIRECT_DESC |
                  1 << VIRTIO_RING_F_EVENT_IDX;

  *reg(VIRTIO_MMIO_DRIVER_FEATURES) = *reg(VIRTIO_MMIO_DEVICE_FEATURES) & ~refuse;
}

static void*
queuepage(void)
{
  void *page = kalloc();

  if(page == 0)
    panic("virtio_disk_init: no memory for the queue");
  memset(page, 0, PGSIZE);
  return page;
}

// Fills in what is the same for every request.
static void
initchains(void)
{
  for(int i = 0; i < NREQUEST; i++){
    struct request *r = &disk.request[i];
    struct virtq_desc *d = &disk.desc[CHAIN * i];

    d[0].addr = (uint64)&r->cmd;
    d[0].len = sizeof(r->cmd);
    d[0].flags = VRING_DESC_F_NEXT;
    d[0].next = CHAIN*i + 1;

    d[1].len = BSIZE;
    d[1].next = CHAIN*i + 2;

    d[2].addr = (uint64)&r->status;
    d[2].len = sizeof(r->status);
    d[2].flags = VRING_DESC_F_WRITE;
  }
}

static void
initqueue(void)
{
  *reg(VIRTIO_MMIO_QUEUE_SEL) = 0;   // a disk has just one
  if(*reg(VIRTIO_MMIO_QUEUE_READY))
    panic("virtio_disk_init: queue in use");
  if(*reg(VIRTIO_MMIO_QUEUE_NUM_MAX) < NUM)
    panic("virtio_disk_init: queue too short");

  disk.desc = queuepage();
  disk.avail = queuepage();
  disk.used = queuepage();
  initchains();

  *reg(VIRTIO_MMIO_QUEUE_NUM) = NUM;
  setaddr(VIRTIO_MMIO_QUEUE_DESC_LOW, disk.desc);
  setaddr(VIRTIO_MMIO_DRIVER_DESC_LOW, disk.avail);
  setaddr(VIRTIO_MMIO_DEVICE_DESC_LOW, disk.used);
  *reg(VIRTIO_MMIO_QUEUE_READY) = 1;
}

// The steps and their order are given by the specification [3.1.1].
void
virtio_disk_init(void)
{
  uint32 status = 0;

  initlock(&disk.lock, "virtio_disk");
  checkdevice();

  *reg(VIRTIO_MMIO_STATUS) = status;   // reset
  status |= VIRTIO_CONFIG_S_ACKNOWLEDGE;
  *reg(VIRTIO_MMIO_STATUS) = status;
  status |= VIRTIO_CONFIG_S_DRIVER;
  *reg(VIRTIO_MMIO_STATUS) = status;

  negotiate();
  status |= VIRTIO_CONFIG_S_FEATURES_OK;
  *reg(VIRTIO_MMIO_STATUS) = status;
  if((*reg(VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_FEATURES_OK) == 0)
    panic("virtio_disk_init: device rejects the features");

  initqueue();
  status |= VIRTIO_CONFIG_S_DRIVER_OK;
  *reg(VIRTIO_MMIO_STATUS) = status;
}

// Returns the number of a free request; sleeps until there is one.
// Caller holds disk.lock.
static int
getrequest(void)
{
  for(;;){
    for(int i = 0; i < NREQUEST; i++){
      if(disk.request[i].b == 0)
        return i;
    }
    sleep(&disk.request, &disk.lock);
  }
}

// Reads the block of a locked buffer, or writes it. Sleeps until it is done.
void
virtio_disk_rw(struct buf *b, int write)
{
  acquire(&disk.lock);

  int i = getrequest();
  struct request *r = &disk.request[i];
  r->b = b;
  r->cmd.type = write ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN;
  r->cmd.reserved = 0;
  r->cmd.sector = (uint64)b->blockno * (BSIZE / 512);
  r->status = 0xff;

  // When we read the disk, the device writes the memory.
  struct virtq_desc *data = &disk.desc[CHAIN*i + 1];
  data->addr = (uint64)b->data;
  data->flags = VRING_DESC_F_NEXT | (write ? 0 : VRING_DESC_F_WRITE);

  b->disk = 1;

  // The device may look as soon as idx counts the chain in, so the chain
  // must be complete by then.
  disk.avail->ring[disk.avail->idx % NUM] = CHAIN * i;
  barrier();
  disk.avail->idx++;
  barrier();
  *reg(VIRTIO_MMIO_QUEUE_NOTIFY) = 0;   // queue number 0

  while(b->disk == 1)
    sleep(b, &disk.lock);

  r->b = 0;
  wakeup(&disk.request);
  release(&disk.lock);
}

// The device has put something in the used ring.
void
virtio_disk_intr(void)
{
  acquire(&disk.lock);

  // Acknowledge first: what is finished after this interrupts anew, so it
  // does not matter whether the loop below sees it already.
  *reg(VIRTIO_MMIO_INTERRUPT_ACK) = *reg(VIRTIO_MMIO_INTERRUPT_STATUS) & 3;
  barrier();

  while(disk.seen != __atomic_load_n(&disk.used->idx, __ATOMIC_ACQUIRE)){
    struct request *r = &disk.request[disk.used->ring[disk.seen % NUM].id / CHAIN];
    if(r->status != 0)
      panic("virtio_disk_intr: request failed");
    r->b->disk = 0;
    wakeup(r->b);
    disk.seen++;
  }

  release(&disk.lock);
}
