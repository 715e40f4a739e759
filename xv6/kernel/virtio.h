// Virtio over memory-mapped registers: the parts that the disk driver uses.
// Numbers are from the virtio 1.1 specification (sections in brackets).

// Register offsets from VIRTIO0 [4.2.2].
#define VIRTIO_MMIO_MAGIC_VALUE         0x000   // "virt", little-endian
#define VIRTIO_MMIO_VERSION             0x004   // 2; 1 is the legacy layout
#define VIRTIO_MMIO_DEVICE_ID           0x008   // 1 network, 2 block
#define VIRTIO_MMIO_VENDOR_ID           0x00c
#define VIRTIO_MMIO_DEVICE_FEATURES     0x010
#define VIRTIO_MMIO_DRIVER_FEATURES     0x020
#define VIRTIO_MMIO_QUEUE_SEL           0x030   // which queue the next registers mean
#define VIRTIO_MMIO_QUEUE_NUM_MAX       0x034
#define VIRTIO_MMIO_QUEUE_NUM           0x038
#define VIRTIO_MMIO_QUEUE_READY         0x044
#define VIRTIO_MMIO_QUEUE_NOTIFY        0x050   // write: look at this queue
#define VIRTIO_MMIO_INTERRUPT_STATUS    0x060
#define VIRTIO_MMIO_INTERRUPT_ACK       0x064
#define VIRTIO_MMIO_STATUS              0x070
#define VIRTIO_MMIO_QUEUE_DESC_LOW      0x080   // physical addresses of the queue's
#define VIRTIO_MMIO_QUEUE_DESC_HIGH     0x084   // three parts, in two halves each
#define VIRTIO_MMIO_DRIVER_DESC_LOW     0x090
#define VIRTIO_MMIO_DRIVER_DESC_HIGH    0x094
#define VIRTIO_MMIO_DEVICE_DESC_LOW     0x0a0
#define VIRTIO_MMIO_DEVICE_DESC_HIGH    0x0a4

// STATUS: how far the driver has come in setting the device up [2.1].
#define VIRTIO_CONFIG_S_ACKNOWLEDGE 1
#define VIRTIO_CONFIG_S_DRIVER      2
#define VIRTIO_CONFIG_S_DRIVER_OK   4
#define VIRTIO_CONFIG_S_FEATURES_OK 8

// Optional features that we turn down, by bit number [5.2.3, 6].
#define VIRTIO_BLK_F_RO             5
#define VIRTIO_BLK_F_SCSI           7
#define VIRTIO_BLK_F_CONFIG_WCE    11
#define VIRTIO_BLK_F_MQ            12
#define VIRTIO_F_ANY_LAYOUT        27
#define VIRTIO_RING_F_INDIRECT_DESC 28
#define VIRTIO_RING_F_EVENT_IDX    29

// Descriptors in the queue; must be a power of two [2.6].
#define NUM 16

// One piece of memory that the device may read or write [2.6.5].
struct virtq_desc {
  uint64 addr;
  uint32 len;
  uint16 flags;
  uint16 next;
};
#define VRING_DESC_F_NEXT  1   // goes on in descriptor `next`
#define VRING_DESC_F_WRITE 2   // the device writes it (otherwise it reads)

// What the driver offers to the device [2.6.6].
struct virtq_avail {
  uint16 flags;
  uint16 idx;         // counts chains offered; place is idx % NUM
  uint16 ring[NUM];   // first descriptors of the chains
  uint16 unused;
};

// What the device has done [2.6.8].
struct virtq_used_elem {
  uint32 id;          // first descriptor of the finished chain
  uint32 len;
};

struct virtq_used {
  uint16 flags;
  uint16 idx;         // counts chains finished; place is idx % NUM
  struct virtq_used_elem ring[NUM];
};

// First piece of each disk request; data and one status byte follow [5.2.6].
struct virtio_blk_req {
  uint32 type;
  uint32 reserved;
  uint64 sector;      // in units of 512 bytes
};
#define VIRTIO_BLK_T_IN  0   // read the disk
#define VIRTIO_BLK_T_OUT 1   // write the disk
