w9DzlK1mdZ/dOifYFDAbD7GgalbD/SaE5BvAo0cdk++ZFuCMGBfeAOTNgoG+RMKrqgzcjblfV5k/8Eigf+zCAQ==
