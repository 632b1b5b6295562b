# What qemu-iotests plug in.  No -accel but qtest is used: nothing is emulated.
CONFIG_I440FX=y
CONFIG_LSI_SCSI_PCI=y
CONFIG_VIRTIO_BLK=y
CONFIG_VIRTIO_PCI=y
CONFIG_VIRTIO_SCSI=y
