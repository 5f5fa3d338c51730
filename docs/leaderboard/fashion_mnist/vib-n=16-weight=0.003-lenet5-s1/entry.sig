xuV/+k3dFukvtxw0RcMj+ZR5hZr/+OWNmm/zsbYmuaIyIBZl+U/nmj8CEPj8uGHElS7/V6DCUx1rdyF8vW4fCA==
