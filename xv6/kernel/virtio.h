// Virtio over memory-mapped registers: the parts that the disk driver uses.
// Numbers are from the virtio 1.1 specification (sections in brackets).

// Register offsets from VIRTIO0 [4.2.2].
enum {
  VIRTIO_MMIO_MAGIC_VALUE      = 0x00,   // "virt", little-endian
  VIRTIO_MMIO_VERSION          = 0x04,   // 2; 1 is the legacy layout
  VIRTIO_MMIO_DEVICE_ID        = 0x08,   // 1 network, 2 block

  // Both sides' optional features, a bit each; the driver writes what it takes.
  VIRTIO_MMIO_DEVICE_FEATURES  = 0x10,
  VIRTIO_MMIO_DRIVER_FEATURES  = 0x20,

  // The queue that QUEUE_SEL names: its size and where its three parts are,
  // by physical address. The upper half of an address goes 4 bytes further on.
  VIRTIO_MMIO_QUEUE_SEL        = 0x30,
  VIRTIO_MMIO_QUEUE_NUM_MAX    = 0x34,
  VIRTIO_MMIO_QUEUE_NUM        = 0x38,
  VIRTIO_MMIO_QUEUE_READY      = 0x44,
  VIRTIO_MMIO_QUEUE_DESC_LOW   = 0x80,
  VIRTIO_MMIO_DRIVER_DESC_LOW  = 0x90,
  VIRTIO_MMIO_DEVICE_DESC_LOW  = 0xa0,

  VIRTIO_MMIO_QUEUE_NOTIFY     = 0x50,   // write: look at this queue
  VIRTIO_MMIO_INTERRUPT_STATUS = 0x60,
  VIRTIO_MMIO_INTERRUPT_ACK    = 0x64,
  VIRTIO_MMIO_STATUS           = 0x70,
};

// STATUS: how far the driver has come in setting the device up [2.1].
enum {
  VIRTIO_CONFIG_S_ACKNOWLEDGE = 1 << 0,   // it has seen the device
  VIRTIO_CONFIG_S_DRIVER      = 1 << 1,   // and knows how to drive it
  VIRTIO_CONFIG_S_DRIVER_OK   = 1 << 2,   // all is set: go
  VIRTIO_CONFIG_S_FEATURES_OK = 1 << 3,   // both agree on the features
};

// Optional features that we turn down, by bit number [5.2.3, 6].
enum {
  VIRTIO_BLK_F_RO = 5, VIRTIO_BLK_F_SCSI = 7, VIRTIO_BLK_F_CONFIG_WCE = 11, VIRTIO_BLK_F_MQ = 12,
  VIRTIO_F_ANY_LAYOUT = 27, VIRTIO_RING_F_INDIRECT_DESC = 28, VIRTIO_RING_F_EVENT_IDX = 29,
};

// Descriptors in the queue; must be a power of two [2.6].
#define NUM 16

// One piece of memory that the device may read or write [2.6.5].
struct virtq_desc {
  uint64 addr;
  uint32 len;
  uint16 flags, next;
};
enum {
  VRING_DESC_F_NEXT  = 1,   // goes on in descriptor `next`
  VRING_DESC_F_WRITE = 2,   // the device writes it (otherwise it reads)
};

// What the driver offers to the device [2.6.6], ...
struct virtq_avail {
  uint16 flags, idx;   // idx counts chains offered; place is idx % NUM
  uint16 ring[NUM];    // first descriptors of the chains
  uint16 unused;
};

// ... and what the device has done with it [2.6.8].
struct virtq_used {
  uint16 flags, idx;   // idx counts chains finished; place is idx % NUM
  struct virtq_used_elem {
    uint32 id, len;    // first descriptor of the chain; bytes written
  } ring[NUM];
};

// First piece of each disk request; data and one status byte follow [5.2.6].
struct virtio_blk_req {
  uint32 type, reserved;
  uint64 sector;       // in units of 512 bytes
};
enum { VIRTIO_BLK_T_IN = 0, VIRTIO_BLK_T_OUT = 1 };   // type: read, write the disk
