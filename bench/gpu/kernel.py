"""Runs a kernel on every visible device by the driver alone, without torch; prints JSON. `hold SECONDS MIB`: keeps memory."""

import ctypes
import json
import os
import sys
import time

PTX = b"""
.version 6.0
.target sm_50
.address_size 64
.visible .entry square(.param .u64 at, .param .u32 count) {
  .reg .pred %p; .reg .f32 %f<2>; .reg .b32 %r<6>; .reg .b64 %d<4>;
  ld.param.u64 %d1, [at]; ld.param.u32 %r1, [count];
  mov.u32 %r2, %ctaid.x; mov.u32 %r3, %ntid.x; mov.u32 %r4, %tid.x;
  mad.lo.s32 %r5, %r2, %r3, %r4;
  setp.ge.u32 %p, %r5, %r1;
  @%p bra DONE;
  cvta.to.global.u64 %d2, %d1; mul.wide.u32 %d3, %r5, 4; add.s64 %d2, %d2, %d3;
  ld.global.f32 %f1, [%d2]; mul.f32 %f1, %f1, %f1; st.global.f32 [%d2], %f1;
DONE:
  ret;
}
"""
COUNT = 1 << 20


class Driver:
    def __init__(self):
        self.library = ctypes.CDLL("libcuda.so.1")

    def __call__(self, name, *args):
        code = getattr(self.library, name)(*args)
        if code != 0:
            raise SystemExit(f"{name} answered {code}")


def squares(cuda, pointer):
    """Squares a million numbers there; true when each is right."""
    values = (ctypes.c_float * COUNT)(*[float(i % 1000) for i in range(COUNT)])
    module, kernel = ctypes.c_void_p(), ctypes.c_void_p()
    cuda("cuMemcpyHtoD_v2", pointer, values, ctypes.sizeof(values))
    cuda("cuModuleLoadData", ctypes.byref(module), PTX)
    cuda("cuModuleGetFunction", ctypes.byref(kernel), module, b"square")
    count = ctypes.c_uint32(COUNT)
    parameters = (ctypes.c_void_p * 2)(
        ctypes.cast(ctypes.pointer(pointer), ctypes.c_void_p),
        ctypes.cast(ctypes.pointer(count), ctypes.c_void_p),
    )
    cuda("cuLaunchKernel", kernel, COUNT // 256, 1, 1, 256, 1, 1, 0, None, parameters, None)
    cuda("cuCtxSynchronize")
    cuda("cuMemcpyDtoH_v2", values, pointer, ctypes.sizeof(values))
    return all(values[i] == float(i % 1000) ** 2 for i in range(0, COUNT, 997))


def main():
    hold = sys.argv[1:2] == ["hold"]
    mebibytes = int(sys.argv[3]) if hold else 64
    cuda = Driver()
    cuda("cuInit", 0)
    count = ctypes.c_int()
    cuda("cuDeviceGetCount", ctypes.byref(count))
    right = []
    for index in range(count.value):
        device, context, pointer = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_uint64()
        cuda("cuDeviceGet", ctypes.byref(device), index)
        cuda("cuCtxCreate_v2", ctypes.byref(context), 0, device)
        cuda("cuMemAlloc_v2", ctypes.byref(pointer), ctypes.c_size_t(mebibytes << 20))
        right.append(squares(cuda, pointer))
    nodes = sorted(name for name in os.listdir("/dev") if name.startswith("nvidia"))
    print(json.dumps({"devices": count.value, "right": right, "nodes": nodes}), flush=True)
    if hold:
        time.sleep(float(sys.argv[2]))


main()
